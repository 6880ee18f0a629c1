import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { probeDatabase, withConnection } from './database';
import { type MysqlServer, startMysql } from './mysql-server';
import { repoRoot } from './paths';
import { freePort, portState, requirePort } from './ports';
import { probeRedis, type RedisServer, startRedis } from './redis-server';
import { applySchema } from './schema';
import { server } from './server';

const folder = mkdtempSync(path.join(os.tmpdir(), 'shop-servers-'));
const templates = path.join(repoRoot, '.data/templates');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a database of our own', () => {
  let mysql: MysqlServer;

  beforeAll(async () => {
    mysql = await startMysql({ dir: path.join(folder, 'db'), password: `it's a "pass\\word"`, templates });
  });
  afterAll(() => mysql.stop());

  const probe = (change = {}, timeoutMs = 60_000) => probeDatabase({ ...mysql.settings, ...change }, timeoutMs);
  const state = async (change = {}) => (await probe(change)).state;

  test('what is wrong with an address is told apart', async () => {
    expect(await state()).toBe('answers');
    expect(await state({ password: 'wrong' })).toBe('denied');
    expect(await state({ database: 'missing' })).toBe('no-database');
    const port = await freePort();
    const message = `nothing listens at 127.0.0.1:${port} (DB_HOST, DB_PORT): ECONNREFUSED`;
    expect(await probe({ port })).toEqual({ state: 'absent', message });
  });

  test('an address that no packet comes back from is not said to have a listener', async () => {
    const host = '192.0.2.1'; // kept free for documentation
    const message = expect.stringMatching(/^nothing listens at 192\.0\.2\.1:\d+ \(DB_HOST, DB_PORT\): /);
    expect(await probe({ host }, 200)).toMatchObject({ message });
  });

  test('schema and seed can be applied again, by two at once', async () => {
    await Promise.all([applySchema(mysql.settings), applySchema(mysql.settings)]);
    await applySchema(mysql.settings);
    expect(await count('users')).toBe(1);
  });

  test('it comes back from kill -9 with its data, on the same port', async () => {
    const { pid } = mysql;
    await mysql.kill();
    expect(mysql.pid).toBeUndefined();
    expect(await state()).toBe('absent');
    await mysql.start();
    expect(mysql.pid).not.toBe(pid);
    expect(await count('users')).toBe(1);
  });

  test('another one that starts leaves it its temporary tables', async () => {
    // MariaDB opens a table that is used twice once more from its file. MySQL refuses such a statement.
    const [engine, both] =
      mysql.program.flavour === 'mariadb' ? ['ENGINE = Aria', 'cart a JOIN cart b ON a.line = b.line'] : ['', 'cart'];
    await withConnection(mysql.settings, 60_000, async (connection) => {
      await connection.query(`CREATE TEMPORARY TABLE cart (line INT) ${engine}`);
      const other = await startMysql({ dir: path.join(folder, 'other'), templates });
      await other.stop();
      await connection.query(`SELECT * FROM ${both}`);
    });
  });

  test('does not respond while frozen, but does after it is resumed', async () => {
    mysql.pause();
    expect(await probe({}, 1000)).toEqual({ state: 'other', message: expect.stringMatching(/^the server at /) });
    mysql.resume();
    expect(await state()).toBe('answers');
  });

  test('a frozen one can be stopped', async () => {
    mysql.pause();
    expect(await mysql.stop()).toEqual({ code: 0, signal: null });
    await mysql.start();
  });

  const count = (table: string) =>
    withConnection(mysql.settings, 60_000, async (connection) => {
      const [rows] = await connection.query('SELECT COUNT(*) AS count FROM ??', [table]);
      return Array.isArray(rows) && rows[0] && 'count' in rows[0] ? rows[0].count : undefined;
    });
});

describe('a Redis of our own', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis({ dir: path.join(folder, 'redis'), password: 'pass "word"' });
  });
  afterAll(() => redis.stop());

  const probe = (change = {}, timeoutMs = 60_000) => probeRedis({ ...redis.settings, ...change }, timeoutMs);
  const state = async (change = {}) => (await probe(change)).state;

  test('what is wrong with an address is told apart', async () => {
    expect(await state()).toBe('answers');
    expect(await state({ password: 'wrong' })).toBe('denied');
    expect(await state({ password: '' })).toBe('denied');
    const port = await freePort();
    const message = `nothing listens at 127.0.0.1:${port} (REDIS_HOST, REDIS_PORT): ECONNREFUSED`;
    expect(await probe({ port })).toEqual({ state: 'absent', message });
  });

  test('it is there again after kill -9, and answers no one while frozen', async () => {
    await redis.kill();
    expect(await state()).toBe('absent');
    await redis.start();
    redis.pause();
    expect(await probe({}, 1000)).toEqual({ state: 'other', message: expect.stringMatching(/^the server at /) });
    redis.resume();
    expect(await state()).toBe('answers');
  });
});

describe('a server that does not come up', () => {
  const aServer = async (script: string, change = {}) =>
    server({
      name: 'stub',
      host: '127.0.0.1',
      port: await freePort(),
      logFile: path.join(folder, 'stub.log'),
      launch: async () => ({ command: process.execPath, args: ['-e', script] }),
      ready: async () => false,
      ...change,
    });

  test('is reported with its exit code and last words', async () => {
    const stub = await aServer('console.error("the earlier"); console.error("the reason"); process.exit(7)');
    await expect(stub.start()).rejects.toThrow(/stub stopped while starting, exit code 7[\s\S]*the reason/);
  });

  test('is killed after its time', async () => {
    const stub = await aServer('setInterval(() => {}, 1000)', { readyTimeoutMs: 300 });
    await expect(stub.start()).rejects.toThrow(/gave up waiting for stub/);
    expect(stub.isRunning()).toBe(false);
  });

  test('may be stopped meanwhile', async () => {
    const stub = await aServer('setInterval(() => {}, 1000)');
    const started = stub.start();
    await Promise.all([expect(started).rejects.toThrow('was stopped while it was starting'), stub.stop()]);
    expect(stub.isRunning()).toBe(false);
  });
});

test('a taken port is reported with who has it and what to change', async () => {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  expect(await portState(port)).toBe('taken');
  await expect(requirePort(port, 'auth', 'AUTH_PORT')).rejects.toThrow(
    new RegExp(`port ${port} \\(auth\\) is taken by pid ${process.pid} .*AUTH_PORT`),
  );
  listener.close();
});
