import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import {
  freePort,
  httpStatus,
  type MysqlServer,
  mysqlServer,
  portState,
  repoRoot,
  withConnection,
} from '@shop/test-servers';
import {
  aUser,
  type ExampleProcess,
  eventually,
  rows,
  startExampleProcess,
  startProxy,
  testEnv,
  write,
} from '@shop/testing';

const started: ExampleProcess[] = [];
async function start(overrides = {}): Promise<ExampleProcess> {
  const service = await startExampleProcess(overrides);
  started.push(service);
  return service;
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.kill()));
});

const status = (service: ExampleProcess, where: string) => httpStatus(service.url + where, 120_000);
const becomes = (service: ExampleProcess, where: string, expected: number) =>
  eventually(`${where} to be ${expected}`, async () => (await status(service, where)) === expected);
const linesWith = (service: ExampleProcess, text: string) =>
  service.lines().filter((line) => JSON.stringify(line).includes(text));
const problem = async (service: ExampleProcess, where: string) => {
  const response = await fetch(service.url + where, { headers: { connection: 'close' } });
  const { code } = (await response.json()) as { code: string };
  return [response.status, code, response.headers.get('retry-after') !== null];
};

describe('a service whose database', () => {
  it('is down at startup is alive and unready, and serves requests once the database is up', async () => {
    const dir = process.env.SHOP_TEST_DIR ?? '';
    const mysql: MysqlServer = await mysqlServer({
      dir: path.join(dir, `late-${randomUUID()}`),
      templates: path.join(dir, 'templates'),
      dieWithParent: true,
    });
    const { user, password, database } = mysql;
    const service = await start({
      DB_PORT: String(mysql.port),
      DB_USER: user,
      DB_PASS: password,
      DB_NAME: database,
      DB_POOL_SIZE: '50',
    });
    await becomes(service, '/health', 200);
    expect(await problem(service, '/ready')).toEqual([503, 'database_unavailable', true]);
    expect(await problem(service, '/users')).toEqual([503, 'database_unavailable', true]);
    await eventually('a log line for the operator', () => linesWith(service, 'cannot be used yet').length > 0);
    expect(linesWith(service, 'ECONNREFUSED')[0]).toMatchObject({ level: 'error', port: mysql.port, database });

    await mysql.start();
    await eventually('a log line about the missing schema', () => linesWith(service, 'npm run migrate').length > 0);
    expect(await problem(service, '/ready')).toEqual([503, 'schema_missing', true]);
    expect(await problem(service, '/users')).toEqual([503, 'schema_missing', true]);

    await withConnection(mysql.settings, 60_000, async (connection) => {
      await connection.query('CREATE TABLE users (id BIGINT PRIMARY KEY)');
      await connection.query('CREATE TABLE cache_generation (id TINYINT PRIMARY KEY, generation CHAR(36))');
      await connection.query('CREATE TABLE idempotency_keys (user_id BIGINT PRIMARY KEY)');
      await connection.query(readFileSync(path.join(repoRoot, 'sql/migrations/0013_revocations.sql'), 'utf8'));
    });
    await becomes(service, '/ready', 200);
    expect(await status(service, '/users')).toBe(204);
    // 50 connections x 6 processes exceed the 200 that this server allows.
    await eventually('the pool-fit warning', () => linesWith(service, 'set DB_POOL_SIZE to 31').length === 1);
    await mysql.stop();
  });

  it.each([
    ['rejects the password', { DB_PASS: 'wrong' }, /Access denied/, 'database_login_rejected'],
    ['does not exist', { DB_NAME: 'no_such_database' }, /no_such_database/, 'database_login_rejected'],
    ['has an unknown host name', { DB_HOST: 'no-such-host.invalid' }, /ENOTFOUND|EAI_AGAIN/, 'database_unavailable'],
    [
      'is not listening on any IP address of its host',
      { DB_HOST: 'localhost', DB_PORT: '1' },
      /ECONNREFUSED/,
      'database_unavailable',
    ],
  ])('%s logs the reason and responds with 503', async (_, overrides, pattern, code) => {
    const account = `boot_${randomUUID().slice(0, 8)}`;
    await write(`CREATE USER ${account}@'%' IDENTIFIED BY 'password'`);
    await write(`GRANT SELECT ON ${testEnv().DB_NAME}.* TO ${account}@'%'`);
    const service = await start({ DB_USER: account, DB_PASS: 'password', ...overrides });
    await becomes(service, '/health', 200);
    expect(await problem(service, '/users')).toEqual([503, 'database_unavailable', true]);
    expect(await problem(service, '/ready')).toEqual([503, code, true]);
    await eventually('a log line for the operator', () => linesWith(service, 'cannot be used yet').length > 0);
    const [line] = linesWith(service, 'cannot be used yet');
    expect(line?.cause).toMatch(pattern);
    expect(service.output()).not.toContain('password"');
    await write(`DROP USER ${account}@'%'`);
  });

  it('lacks a table logs how to create it', async () => {
    const service = await start({ EXAMPLE_TABLE: 'no_such_table' });
    await becomes(service, '/ready', 503);
    await eventually('a log line for the operator', () => linesWith(service, 'npm run migrate').length > 0);
    expect(await problem(service, '/ready')).toEqual([503, 'schema_missing', true]);
  });
});

describe('a service that cannot start', () => {
  it('because its port is in use prints one line and exits with 1', async () => {
    const other = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => other.listen(port, resolve));
    const service = await start({ AUTH_PORT: String(port) });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.output()).toBe(`example: port ${port} is in use: stop the other process or set AUTH_PORT`);
    await new Promise((resolve) => other.close(resolve));
  });

  it('because of invalid settings prints all of them and exits with 1', async () => {
    const service = await start({ DB_PORT: 'x', DB_POOL_SIZE: '0' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.output()).toMatch(/^example: Cannot start, the settings are wrong:\n {2}- DB_PO/);
    expect(service.output().split('\n')).toHaveLength(3);
  });
});

describe('an uncaught error', () => {
  it.each([
    ['a rejection', '/rejects', 'nobody handles this'],
    ['an exception', '/throws', 'nobody catches this'],
  ])('(%s) is logged with its stack, and the process exits with 1', async (_, where, message) => {
    const service = await start();
    await becomes(service, '/ready', 200);
    await status(service, where);
    const exit = await service.exited;
    expect([exit.code, exit.signal]).toEqual([1, null]);
    const [line] = linesWith(service, message);
    expect(line).toMatchObject({ level: 'fatal', service: 'example', err: { message } });
    expect(JSON.stringify(line)).toContain('example-main.cjs');
  });
});

describe('a service that freezes inside a transaction', () => {
  it('loses its locks within a minute, and serves requests again once it continues', async () => {
    const { id } = await aUser();
    const gate = path.join(process.env.SHOP_TEST_DIR ?? '', `gate-${randomUUID()}`);
    const service = await start({ EXAMPLE_GATE: gate, EXAMPLE_ROW: String(id) });
    await becomes(service, '/ready', 200);
    const holding = status(service, '/holds').catch(() => undefined);
    await eventually('the row to be locked', () => existsSync(`${gate}.begun`));
    service.signal('SIGSTOP');
    await eventually('the row to be unlocked', () =>
      rows('SELECT id FROM users WHERE id = ? FOR UPDATE NOWAIT', [id]).catch(() => false),
    );
    service.signal('SIGCONT');
    await holding;
    await eventually('the service to serve', async () => (await status(service, '/users')) === 204);
  });
});

describe('a service that gets a stop signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '(%s) becomes unready, finishes the requests in progress, then exits with 0',
    async (signal) => {
      const gate = path.join(process.env.SHOP_TEST_DIR ?? '', `gate-${randomUUID()}`);
      const service = await start({ SHUTDOWN_DELAY_SECONDS: '3', EXAMPLE_GATE: gate });
      await becomes(service, '/ready', 200);
      const slow = status(service, '/slow');
      await eventually('the request to be in progress', () => existsSync(`${gate}.begun`));
      service.signal(signal);
      await becomes(service, '/ready', 503);
      // Load balancers take a moment to notice. Requests that arrive in the meantime are served.
      expect(await status(service, '/users')).toBe(204);
      await eventually('the port to be closed', async () => (await portState(service.port)) === 'free');
      writeFileSync(gate, '');
      expect(await slow).toBe(204);
      expect(await service.exited).toEqual({ code: 0, signal: null });
      expect(linesWith(service, 'stopped')).toHaveLength(1);
    },
  );

  it('finishes a request that takes most of the ten seconds', async () => {
    const gate = path.join(process.env.SHOP_TEST_DIR ?? '', `gate-${randomUUID()}`);
    const service = await start({ SHUTDOWN_DELAY_SECONDS: '1', EXAMPLE_GATE: gate });
    await becomes(service, '/ready', 200);
    const slow = status(service, '/slow');
    await eventually('the request to be in progress', () => existsSync(`${gate}.begun`));
    const signalAt = Date.now();
    service.signal('SIGTERM');
    await eventually('six seconds to pass', () => Date.now() - signalAt > 6000);
    writeFileSync(gate, '');
    expect(await slow).toBe(204);
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('exits in time even if a request never ends', async () => {
    const gate = path.join(process.env.SHOP_TEST_DIR ?? '', `gate-${randomUUID()}`);
    const service = await start({ SHUTDOWN_DELAY_SECONDS: '1', EXAMPLE_GATE: gate });
    await becomes(service, '/ready', 200);
    const endless = status(service, '/slow').catch(() => 'cut');
    await eventually('the request to be in progress', () => existsSync(`${gate}.begun`));
    const signalAt = Date.now();
    service.signal('SIGTERM');
    expect(await service.exited).toEqual({ code: 0, signal: null });
    // The limit is ten seconds. The rest is for slow machines.
    expect(Date.now() - signalAt).toBeLessThan(25_000);
    expect(await endless).not.toBe(204);
  });

  it('exits in time even if its database hangs and a request waits for it', async () => {
    const { DB_HOST = '', DB_PORT } = testEnv();
    const proxy = await startProxy({ host: DB_HOST, port: Number(DB_PORT) });
    try {
      const service = await start({ DB_PORT: String(proxy.port), SHUTDOWN_DELAY_SECONDS: '0' });
      await becomes(service, '/ready', 200);
      proxy.freeze();
      const waiting = status(service, '/users');
      await eventually('the request to wait', async () => {
        const { database } = (await (await fetch(`${service.url}/health`)).json()) as {
          database: { idle: number; open: number };
        };
        return database.open > database.idle;
      });
      const signalAt = Date.now();
      service.signal('SIGTERM');
      expect(await waiting).toBe(503);
      expect(await service.exited).toEqual({ code: 0, signal: null });
      // The limit is ten seconds. Without one, the process would wait forever.
      expect(Date.now() - signalAt).toBeLessThan(30_000);
    } finally {
      await proxy.close();
    }
  });

  it('exits in time even if a client keeps an incomplete request open', async () => {
    const service = await start({ SHUTDOWN_DELAY_SECONDS: '0' });
    await becomes(service, '/ready', 200);
    const silent = connect(service.port, '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    silent.on('error', () => undefined);
    silent.write('GET /users HTTP/1.1\r\nHost: x\r\n');
    service.signal('SIGTERM');
    expect(await service.exited).toEqual({ code: 0, signal: null });
    silent.destroy();
  });
});
