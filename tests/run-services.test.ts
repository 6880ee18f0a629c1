import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {
  type FleetState,
  freePort,
  httpStatus,
  monitorNames,
  portIsFree,
  readState,
  repoRoot,
  stillRuns,
  until,
} from '@shop/fleet';

jest.setTimeout(120_000);

const SERVICES = ['auth', 'product', 'transaction', 'address', 'store', 'file'];
const dir = mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'run-services-'));
const stateFile = path.join(dir, 'run/fleet.json');
const ports = new Map<string, number>();
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: repoRoot }); // status and stop take what is compiled
  for (const name of [...SERVICES, 'gateway', 'db', 'redis']) ports.set(name, await freePort());
  const { ENV_FILE, ...inherited } = process.env;
  env = {
    ...inherited,
    APP_ENV: 'local',
    SHOP_DATA_DIR: dir,
    UPLOAD_PATH: path.join(dir, 'uploads'),
    DOCKER_HOST: `unix://${dir}/no-docker.sock`,
    LOG_LEVEL: 'warn',
  };
  for (const [name, port] of ports) env[`${name.toUpperCase()}_PORT`] = String(port);
}, 60_000);

afterEach(() => run(['stop']).ended);

interface Run {
  pid: number;
  output(): string;
  ended: Promise<number | null>;
}

/** The script as from a terminal: in a process group of its own, which Ctrl+C reaches as a whole. */
function run(args: string[], overrides: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(path.join(repoRoot, 'run-services.sh'), args, {
    cwd: dir,
    env: { ...env, ...overrides },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}

async function finished(
  args: string[],
  overrides: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  const one = run(args, overrides);
  return { code: await one.ended, output: one.output() };
}

/** Resolves when the line has been printed; fails with all that was when the script ends without it. */
async function printed(one: Run, line: RegExp): Promise<void> {
  let over = false;
  void one.ended.then(() => {
    over = true;
  });
  await until(() => over || line.test(one.output()), { timeoutMs: 90_000, everyMs: 20, what: String(line) });
  if (!line.test(one.output())) throw new Error(`ended without ${line}:\n${one.output()}`);
}

const state = (): FleetState => {
  const found = readState(stateFile);
  if (!found) throw new Error('there is no state file');
  return found;
};

const urlOf = (name: string, at: string) => `http://127.0.0.1:${ports.get(name)}${at}`;

async function portsInUse(): Promise<string[]> {
  const used: string[] = [];
  for (const [name, port] of ports) if (!(await portIsFree(port))) used.push(name);
  return used;
}

const nothingLeft = (entries: FleetState['entries']) =>
  until(async () => !entries.some(stillRuns) && (await portsInUse()).length === 0, {
    timeoutMs: 20_000,
    what: 'every process and port to be gone',
  });

const json = async (name: string, at: string, body: object) =>
  fetch(urlOf(name, at), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('up says ready when all answers, once; status tells of it; stop from another terminal leaves nothing', async () => {
  const up = run([]);
  await printed(up, /^ready$/m);
  const answers = SERVICES.map((name) => httpStatus(urlOf(name, '/ready')));
  expect(await Promise.all([...answers, httpStatus(urlOf('gateway', '/health'))])).toEqual(Array(7).fill(200));
  await printed(up, /^Ctrl\+C stops/m);

  const { pid, entries } = state();
  expect(entries.map(({ name }) => name).sort()).toEqual([...SERVICES, 'database', 'nginx', 'redis'].sort());
  for (const entry of entries) {
    expect(entry.origin).toBe('ours');
    expect(up.output()).toMatch(
      new RegExp(`^ +${entry.name} +${entry.port} +${entry.pid} .*/${entry.name}\\.log$`, 'm'),
    );
  }

  const second = await finished([]);
  expect(second).toEqual({ code: 1, output: expect.stringContaining(`already running, pid ${pid}`) });
  expect(state()).toMatchObject({ pid, entries });

  const healthy = await finished(['status']);
  expect(healthy.code).toBe(0);
  expect(healthy.output.match(/healthy/g)).toHaveLength(7);

  process.kill(entries.find(({ name }) => name === 'store')?.pid ?? 0, 'SIGKILL');
  await printed(up, /store \(port \d+\) died, signal SIGKILL/);
  const unwell = await finished(['status']);
  expect(unwell).toEqual({ code: 1, output: expect.stringMatching(/store .* dead/) });

  expect(await finished(['stop'])).toEqual({ code: 0, output: expect.stringMatching(/stopped$/m) });
  expect(await up.ended).toBe(0);
  await nothingLeft(entries);
  expect(await finished(['status'])).toEqual({ code: 3, output: expect.stringContaining('not running') });
});

test('killed, it takes everything along, and what was sold is there the next time; Ctrl+C ends that', async () => {
  const account = { email: 'kept@example.com', password: 'correct horse battery' };
  const first = run([]);
  await printed(first, /^ready$/m);
  const registered = await json('gateway', '/api/v1/auth/register', { name: 'Kept', phone: '+4912345678', ...account });
  expect(registered.status).toBe(201);
  const { entries } = state();
  process.kill(first.pid, 'SIGKILL');
  await nothingLeft(entries);
  expect((await finished(['status'])).code).toBe(3);

  const second = run([]);
  await printed(second, /^ready$/m);
  expect((await json('gateway', '/api/v1/auth/login', account)).status).toBe(200);
  const later = state().entries;
  process.kill(-second.pid, 'SIGINT');
  expect(await second.ended).toBe(0);
  await nothingLeft(later);
});

test('--monitoring watches all of it, says where to look, and goes with the rest', async () => {
  const up = run(['--monitoring']);
  await printed(up, /^Ctrl\+C stops/m);
  const { entries } = state();
  const watching = entries.filter(({ kind }) => kind === 'monitoring').map(({ name }) => name);
  expect(watching.sort()).toEqual([...monitorNames].sort());
  const [, prometheus] = /^ {2}(http:\/\/localhost:\d+) {2}Prometheus/m.exec(up.output()) ?? [];
  const targets = async () => {
    const answer = await fetch(`${prometheus}/api/v1/targets`);
    const { data } = (await answer.json()) as { data: { activeTargets: { health: string }[] } };
    return data.activeTargets.map(({ health }) => health);
  };
  const everythingUp = async () => (await targets()).join() === Array(11).fill('up').join();
  await until(everythingUp, { timeoutMs: 40_000, everyMs: 200, what: 'every target to be up' });

  const { code, output } = await finished(['status']);
  expect([code, output]).toEqual([0, expect.stringMatching(/prometheus .* listening/)]);
  process.kill(-up.pid, 'SIGINT');
  expect(await up.ended).toBe(0);
  await nothingLeft(entries);
});

test('Ctrl+C while it starts leaves nothing', async () => {
  const up = run([]);
  await printed(up, /^starting \d+ service processes/m);
  const { entries } = state();
  process.kill(-up.pid, 'SIGINT');
  expect(await up.ended).toBe(130);
  expect(up.output()).not.toMatch(/^ready$/m);
  await nothingLeft(entries);
});

test('containers that a killed run has left are not forgotten', async () => {
  mkdirSync(path.dirname(stateFile), { recursive: true });
  const container = { name: 'db', kind: 'database', host: '127.0.0.1', port: ports.get('db'), origin: 'docker' };
  writeFileSync(
    stateFile,
    JSON.stringify({ pid: 2 ** 30, startedAt: new Date(0).toISOString(), entries: [container] }),
  );
  const { code, output } = await finished(['status']);
  expect(code).toBe(1);
  expect(output).toMatch(/is gone: .\/run-services\.sh stop cleans up[\s\S]*db .* no answer/);
});

test('a port that is taken is named with the variable for another, and nothing is started', async () => {
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
    /error: the database at .* refuses user "nobody" with this password: check DB_USER and DB_PASS/,
  );
  expect(await portsInUse()).toEqual([]);
});

test('an older Node is refused, in one line', async () => {
  const bin = path.join(dir, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'node'), '#!/bin/sh\necho v18.20.4\n', { mode: 0o755 });
  const { code, output } = await finished([], { PATH: `${bin}:${process.env.PATH}` });
  expect(code).toBe(1);
  expect(output).toMatch(/^Node\.js 20\.19\.0 or newer is needed, this is v18\.20\.4: .*\n$/);
});
