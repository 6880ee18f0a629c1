import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { runningState, type State } from '@shop/dev';
import { httpStatus, monitorNames, portIsFree, repoRoot, serviceNames } from '@shop/test-servers';
import { type DevSettings, devSettings, printed, type Run, resultOf, startCommand } from './support/dev-shop';
import { eventually } from './support/eventually';

const dir = mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'run-services-'));
let ports: DevSettings['ports'];
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: repoRoot }); // status and stop use the compiled code
  ({ ports, env } = await devSettings(dir));
});

/** Those that a failed test leaves running. */
const running = new Set<Run>();

afterEach(async () => {
  if (running.size > 0) await finished(['stop']);
});

/** Runs the script as from a terminal. */
const run = (args: string[], overrides: NodeJS.ProcessEnv = {}): Run =>
  start(path.join(repoRoot, 'run-services.sh'), args, { cwd: dir, env: { ...env, ...overrides } });

function start(...command: Parameters<typeof startCommand>): Run {
  const one = startCommand(...command);
  running.add(one);
  void one.ended.then(() => running.delete(one));
  return one;
}

const finished = (args: string[], overrides: NodeJS.ProcessEnv = {}) => resultOf(run(args, overrides));

async function state(): Promise<State> {
  const found = await runningState(path.join(dir, 'run/lock'));
  if (!found) throw new Error('it is not running');
  return found;
}

const urlOf = (name: string, at: string) => `http://127.0.0.1:${ports.get(name)}${at}`;

async function portsInUse(): Promise<string[]> {
  const used: string[] = [];
  for (const [name, port] of ports) if (!(await portIsFree(port))) used.push(name);
  return used;
}

function areGone(entries: State['entries']): boolean {
  const pids = entries.flatMap(({ pid }) => pid ?? []).join();
  const found = spawnSync('ps', ['-o', 'stat=', '-p', pids], { encoding: 'utf8' });
  return !/^[^Z]/m.test(found.stdout);
}

const nothingLeft = (entries: State['entries']) =>
  eventually('every process and port to be gone', async () => (await portsInUse()).length === 0 && areGone(entries));

const json = async (name: string, at: string, body: object) =>
  fetch(urlOf(name, at), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('up prints ready once everything responds; status shows it; stop from another terminal leaves nothing', async () => {
  const up = run([]);
  await printed(up, /^ready$/m);
  const responses = serviceNames.map((name) => httpStatus(urlOf(name, '/ready')));
  expect(await Promise.all([...responses, httpStatus(urlOf('gateway', '/health'))])).toEqual(Array(7).fill(200));
  await printed(up, /^Ctrl\+C stops/m);

  const { pid, entries } = await state();
  expect(entries.map(({ name }) => name).sort()).toEqual([...serviceNames, 'db', 'nginx', 'redis'].sort());
  for (const entry of entries) {
    expect(entry.origin).toBe('started by us');
    expect(up.output()).toMatch(new RegExp(`^ +${entry.name} +${entry.port} +${entry.pid} .* ${entry.log}$`, 'm'));
  }
  const [, gatewayLog = ''] = /tail -f (\S+access\.log)/.exec(up.output()) ?? [];
  await eventually('a line in the log of Nginx', () => readFileSync(gatewayLog, 'utf8').includes('/health'));

  const second = await finished([]);
  expect(second).toEqual({ code: 1, output: expect.stringContaining(`already running, pid ${pid}`) });
  expect(await state()).toMatchObject({ pid, entries });

  process.kill(pid, 'SIGSTOP');
  expect(await finished(['status'])).toEqual({ code: 1, output: expect.stringContaining(`frozen (pid ${pid})`) });
  process.kill(pid, 'SIGCONT');

  const healthy = await finished(['status']);
  expect(healthy.code).toBe(0);
  expect(healthy.output.match(/healthy/g)).toHaveLength(7);

  process.kill(entries.find(({ name }) => name === 'store')?.pid ?? 0, 'SIGKILL');
  await printed(up, /store \(port \d+\) died, signal SIGKILL/);
  const unwell = await finished(['status']);
  expect(unwell).toEqual({ code: 1, output: expect.stringMatching(/store .* not running/) });

  expect(await finished(['stop'])).toEqual({ code: 0, output: expect.stringMatching(/stopped$/m) });
  expect(await up.ended).toBe(0);
  await nothingLeft(entries);
  for (const command of ['status', 'url']) {
    expect(await finished([command])).toEqual({ code: 3, output: expect.stringContaining('not running') });
  }
});

/** A PATH with a `docker` whose Redis is a process, and whose database does not start. */
function pathWithDocker(): string {
  const bin = path.join(dir, 'docker');
  mkdirSync(bin);
  const script = `#!/bin/sh
case "$*" in
  version) ;;
  'compose up -d --wait redis')
    redis-server --port "$REDIS_PORT" --daemonize yes --save '' --pidfile ${bin}/pid
    until redis-cli -p "$REDIS_PORT" ping; do sleep 0.1; done ;;
  'compose up -d --wait db') echo 'no space left on device' && exit 1 ;;
  'compose logs --follow --no-log-prefix redis') exec tail -f /dev/null ;;
  'compose stop --timeout 20 redis') kill "$(cat ${bin}/pid)" ;;
esac`;
  writeFileSync(path.join(bin, 'docker'), script, { mode: 0o755 });
  return `${bin}:${process.env.PATH}`;
}

test('when it is killed, its processes and containers end, and the next run still has the orders', async () => {
  const account = { email: 'kept@example.com', password: 'correct horse battery' };
  const first = run([], { PATH: pathWithDocker() });
  await printed(first, /^Ctrl\+C stops/m);
  expect(first.output()).toMatch(/^db: the Docker container db stopped while starting.*\n +no space left on device$/m);
  expect(first.output()).toMatch(/^ +redis +\d+ .* started in Docker /m);
  const registered = await json('gateway', '/api/v1/auth/register', { name: 'Kept', phone: '+4987654321', ...account });
  expect(registered.status).toBe(201);
  const { entries } = await state();
  process.kill(first.pid, 'SIGKILL');
  await nothingLeft(entries);
  expect((await finished(['status'])).code).toBe(3);

  const second = run(['--monitoring']);
  await printed(second, /^Ctrl\+C stops/m);
  expect((await json('gateway', '/api/v1/auth/login', account)).status).toBe(200);
  await everythingIsScraped(second);
  const later = (await state()).entries;
  process.kill(-second.pid, 'SIGINT');
  expect(await second.ended).toBe(0);
  await nothingLeft(later);
});

async function everythingIsScraped(up: Run): Promise<void> {
  const { entries } = await state();
  expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(monitorNames));
  const [, prometheus] = /^ {2}(http:\/\/localhost:\d+) {2}Prometheus/m.exec(up.output()) ?? [];
  const targets = async () => {
    const response = await fetch(`${prometheus}/api/v1/targets`);
    const { data } = (await response.json()) as { data: { activeTargets: { health: string }[] } };
    return data.activeTargets.map(({ health }) => health);
  };
  const everythingUp = async () => (await targets()).join() === Array(12).fill('up').join();
  await eventually('every target to be up', everythingUp);
  const { code, output } = await finished(['status']);
  expect([code, output]).toEqual([0, expect.stringMatching(/prometheus .* healthy/)]);
}

test('Ctrl+C during startup leaves nothing', async () => {
  const up = run([]);
  await printed(up, /^starting \d+ service processes/m);
  const { entries } = await state();
  process.kill(-up.pid, 'SIGINT');
  expect(await up.ended).toBe(130);
  expect(up.output()).not.toMatch(/^ready$/m);
  await nothingLeft(entries);
});

test('a port in use is reported with the variable to change it, and nothing is started', async () => {
  const squatter = net.createServer().listen(ports.get('store'), '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  try {
    const { code, output } = await finished([]);
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`error: port ${ports.get('store')} \\(store\\) is taken.*STORE_PORT=`));
    expect(await portsInUse()).toEqual(['store']);
  } finally {
    await new Promise((resolve) => squatter.close(resolve));
  }
});

test('a database that refuses the password is an error, not a reason to start an empty one', async () => {
  const { SHOP_TEST_DB_HOST, SHOP_TEST_DB_PORT } = process.env;
  const file = path.join(dir, 'wrong-password.env');
  writeFileSync(file, `DB_HOST=${SHOP_TEST_DB_HOST}\nDB_PORT=${SHOP_TEST_DB_PORT}\nDB_USER=nobody\nDB_PASS=wrong\n`);
  const { code, output } = await finished([], { ENV_FILE: 'wrong-password.env', DB_PORT: undefined });
  expect(code).toBe(1);
  expect(output).toMatch(
    /error: the database at .* rejects user "nobody" with this password: check DB_USER and DB_PASS/,
  );
  expect(await portsInUse()).toEqual([]);
});

test('every invalid setting of every service is reported once', async () => {
  const { code, output } = await finished([], {
    TRUST_PROXY: 'no-address',
    PENDING_ORDER_TTL_MINUTES: 'soon',
    ACCESS_TOKEN_EXP_SECONDS: 'long',
  });
  expect(code).toBe(1);
  const [, list = ''] = output.split('the settings are wrong:');
  expect(list).toMatch(new RegExp(`TRUST_PROXY: .* \\(${serviceNames.join(', ')}\\)$`, 'm'));
  expect(list.match(/TRUST_PROXY/g)).toHaveLength(1);
  expect(list.match(/PENDING_ORDER_TTL_MINUTES: .* \(transaction\)$/gm)).toHaveLength(1);
  expect(list.match(/ACCESS_TOKEN_EXP_SECONDS: .* \(auth\)$/gm)).toHaveLength(1);
});

test('a line without "=" in the env file is reported, and nothing is started', async () => {
  writeFileSync(path.join(dir, 'typo.env'), '# Settings\nNOTE="two\nlines"\nDB_PASS secret\n');
  const { code, output } = await finished([], { ENV_FILE: 'typo.env' });
  expect({ code, output }).toEqual({
    code: 1,
    output: expect.stringMatching(/typo\.env, line 4 \(DB_PASS\): there is no "="$/m),
  });
  expect(output).not.toContain('secret');
  expect(await portsInUse()).toEqual([]);
});

/** A PATH with a `node` that is too old to install or build anything. */
function pathWithOldNode(): string {
  const bin = path.join(dir, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, 'node'), '#!/bin/sh\necho v18.20.4\n', { mode: 0o755 });
  return `${bin}:${process.env.PATH}`;
}

test.each([
  ['--bogus', '"--bogus"'],
  ['up --replcas 2', '"--replcas"'],
  ['--replicas', '--replicas takes a whole number'],
  ['--replicas 0', '--replicas takes a whole number'],
  ['--replicas x', '--replicas takes a whole number'],
  ['--replicas=21', '--replicas takes a whole number'],
  ['--monitoring=yes', '"--monitoring=yes"'],
  ['strat', 'unknown command "strat"'],
  ['up status', '"status"'],
  ['status --json', '"--json"'],
  ['stop now', '"now"'],
  ['url 80', '"80"'],
])('`run-services.sh %s` is refused before anything is installed', async (line, message) => {
  const { code, output } = await finished(line.split(' '), { PATH: pathWithOldNode() });
  expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining(message) });
  expect(output.trimEnd().split('\n')).toHaveLength(1);
});

test('an older Node is refused with a one-line message', async () => {
  const { code, output } = await finished([], { PATH: pathWithOldNode() });
  expect(code).toBe(1);
  expect(output).toMatch(/^Node\.js 20\.19\.0 or newer is required, this is v18\.20\.4: .*\n$/);
});
