import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { loadConfig } from './core-config';
import { ConfigError, type Env, readEnv, setting } from './load-env';

const RANDOM_SECRET = '3f1c9a7e5b2d8064c1f0e9d8b7a65432';
const needed: Env = { DB_HOST: 'db', DB_USER: 'shop', DB_NAME: 'shop', JWT_SECRET: RANDOM_SECRET, SHOP_PORT: '8080' };
const inProduction: Env = {
  ...needed,
  APP_ENV: 'production',
  DB_PASS: 'x7Kq2mVw9Tz4',
  TRUST_PROXY: '10.0.0.0/8',
};
const nothing = z.object({});
const load = (env: Env) => loadConfig('SHOP_PORT', nothing, env).core;

function problemsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe('the env file', () => {
  it('gives what the process environment does not', () => {
    const path = file('.env.some', '# a comment\nDB_HOST=file\nDB_PORT="3307"\n');
    expect(readEnv({ ENV_FILE: path, DB_HOST: 'process' })).toMatchObject({ DB_HOST: 'process', DB_PORT: '3307' });
  });

  it('is .env.$APP_ENV of the working directory unless ENV_FILE names another', () => {
    file('.env.local', 'DB_HOST=local\n');
    file('.env.testnet', 'DB_HOST=testnet\n');
    expect(readEnv({}, folder).DB_HOST).toBe('local');
    expect(readEnv({ APP_ENV: 'testnet' }, folder).DB_HOST).toBe('testnet');
    expect(readEnv({ APP_ENV: 'testnet', ENV_FILE: '.env.local' }, folder).DB_HOST).toBe('local');
  });

  it('need not be there, unless it was asked for', () => {
    expect(readEnv({ APP_ENV: 'nowhere' }, folder)).toEqual({ APP_ENV: 'nowhere' });
    const missing = join(folder, 'missing.env');
    expect(problemsOf(() => readEnv({ ENV_FILE: missing }))).toEqual([
      expect.stringContaining(`${missing} cannot be read (ENOENT)`),
    ]);
  });

  it('that cannot be read is a clear error', () => {
    expect(problemsOf(() => readEnv({ ENV_FILE: folder }))).toEqual([
      expect.stringContaining('cannot be read (EISDIR)'),
    ]);
  });

  it('cannot take a value from the process environment by naming a file for it', () => {
    const path = file('.env.secret', `JWT_SECRET_FILE=${file('secret', 'from-a-file')}\n`);
    expect(load({ ...needed, ...readEnv({ ENV_FILE: path, ...needed }) }).jwtSecret).toBe(RANDOM_SECRET);
  });
});

describe('secrets in files', () => {
  it.each([
    ['JWT_SECRET', (env: Env) => load(env).jwtSecret],
    ['DB_PASS', (env: Env) => load(env).db.password],
    ['REDIS_PASSWORD', (env: Env) => load({ ...env, REDIS_HOST: 'redis' }).redis?.password],
  ])('%s_FILE names the file that holds the value, its line end left out', (key, read) => {
    const path = file(`${key}.txt`, 'ein-geheimer-schlüssel\n');
    expect(read({ ...needed, [`${key}_FILE`]: path })).toBe('ein-geheimer-schlüssel');
  });

  it('win over a value given directly', () => {
    expect(load({ ...needed, DB_PASS: 'direct', DB_PASS_FILE: file('pass', 'from-file') }).db.password).toBe(
      'from-file',
    );
  });

  it('that cannot be read are named, once, without what they might hold', () => {
    const problems = problemsOf(() => load({ ...needed, JWT_SECRET_FILE: '/no/such/secret', DB_PASS_FILE: folder }));
    expect(problems.sort()).toEqual([
      `DB_PASS_FILE: ${folder} cannot be read (EISDIR)`,
      'JWT_SECRET_FILE: /no/such/secret cannot be read (ENOENT)',
    ]);
  });

  it('that are empty count as missing', () => {
    expect(problemsOf(() => load({ ...needed, JWT_SECRET_FILE: file('empty', '\n') }))).toEqual([
      'JWT_SECRET: is required',
    ]);
  });
});

it('names every bad variable at once: shared ones, the port, its own ones and the secret', () => {
  const own = z.object({ MAX_THINGS: setting.integer(1), NAME: z.string() });
  const problems = problemsOf(() =>
    loadConfig('SHOP_PORT', own, {
      APP_ENV: 'production',
      DB_HOST: '',
      DB_PORT: '70000',
      DB_USER: 'shop',
      DB_POOL_SIZE: '0',
      LOG_LEVEL: 'loud',
      TRUST_PROXY: '10.0.0.0/33',
      CORS_ORIGINS: 'shop.example',
      DB_PASS: 'root',
      SHUTDOWN_DELAY_SECONDS: '60',
      RATE_LIMIT_BURST: '1e3',
      JWT_SECRET: 'short',
      SHOP_PORT: 'http',
      MAX_THINGS: '-1',
    }),
  );
  expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
    'CORS_ORIGINS',
    'DB_HOST',
    'DB_NAME',
    'DB_PASS',
    'DB_POOL_SIZE',
    'DB_PORT',
    'JWT_SECRET',
    'LOG_LEVEL',
    'MAX_THINGS',
    'NAME',
    'RATE_LIMIT_BURST',
    'SHOP_PORT',
    'SHUTDOWN_DELAY_SECONDS',
    'TRUST_PROXY',
  ]);
  expect(new ConfigError(problems).message.split('\n')).toHaveLength(problems.length + 1);
});

describe('JWT_SECRET', () => {
  const refusal = (APP_ENV: string, JWT_SECRET: string) =>
    problemsOf(() => load({ ...inProduction, APP_ENV, JWT_SECRET }));

  it.each([
    ['missing', ''],
    ['31 bytes long', `${'k9'.repeat(15)}x`],
    ['that of .env.local', 'local-development-only-secret-never-deploy-this'],
    ["that of this project's tests", 'a-secret-for-tests-only-0123456789abcdef'],
    ["jwt.io's", 'a-string-secret-at-least-256-bits-long'],
    ["a tutorial's", 'your-super-secret-jwt-key-please-replace'],
    ['a placeholder', 'CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME'],
    ['one letter over and over', 'a'.repeat(64)],
    ['a short word over and over', 'secret'.repeat(10)],
  ])('is refused in production when it is %s', (_what, secret) => {
    const problems = refusal('production', secret);
    expect(problems).toEqual([expect.stringMatching(/^JWT_SECRET: /)]);
    if (secret) expect(problems.join()).not.toContain(secret);
  });

  it('of 32 random bytes is accepted', () => {
    expect(refusal('production', RANDOM_SECRET)).toEqual([]);
    expect(refusal('production', `${'ł'.repeat(8)}Qx7!pR2zK9mW#t4v`)).toEqual([]);
  });

  it('may be weak on a developer’s machine only', () => {
    expect(refusal('local', 'short')).toEqual([]);
    expect(refusal('testnet', 'short')).toEqual([expect.stringMatching(/^JWT_SECRET: /)]);
  });
});

describe('production', () => {
  const refusals = (overrides: Env) => problemsOf(() => load({ ...inProduction, ...overrides }));
  const refused = (overrides: Env) => refusals(overrides).map((problem) => problem.split(':')[0]);

  it('starts with what is its own', () => {
    expect(refusals({})).toEqual([]);
    expect(refusals({ GRAFANA_ADMIN_PASSWORD: 'nX3vQ8wLr2Zk', CORS_ORIGINS: 'https://shop.test' })).toEqual([]);
  });

  it.each([
    'password',
    'Password1',
    'root',
    'root123',
    'secret',
    'admin',
    'admin123',
    'user',
    '12345678',
    'CHANGE_ME',
    '',
  ])('refuses "%s" as the password of the database and of Grafana', (password) => {
    expect(refused({ DB_PASS: password })).toEqual(['DB_PASS']);
    // None: Grafana has it from elsewhere.
    expect(refused({ GRAFANA_ADMIN_PASSWORD: password })).toEqual(password ? ['GRAFANA_ADMIN_PASSWORD'] : []);
  });

  it('looks into secret files too', () => {
    expect(refused({ DB_PASS: undefined, DB_PASS_FILE: file('default-pass', 'password\n') })).toEqual(['DB_PASS']);
    expect(refused({ DB_PASS_FILE: file('good-pass', 'x7Kq2mVw9Tz4\n') })).toEqual([]);
    expect(refused({ DB_PASS_FILE: '/no/such/file' })).toEqual(['DB_PASS_FILE']);
    expect(refused({ APP_ENV: '', APP_ENV_FILE: file('env', 'production'), DB_PASS: 'root' })).toEqual(['DB_PASS']);
  });

  it.each([
    ['any origin', 'CORS_ORIGINS', '*'],
    ['no trusted proxy', 'TRUST_PROXY', ''],
    ['everybody as a trusted proxy', 'TRUST_PROXY', '10.0.0.0/8, 0.0.0.0/0'],
  ])('refuses %s', (_what, key, value) => {
    expect(refused({ [key]: value })).toEqual([key]);
  });

  it('names all of it in one message, and no secret in it', () => {
    const problems = refusals({
      JWT_SECRET: 'local-development-only-secret-never-deploy-this',
      DB_PASS: 'root123',
      GRAFANA_ADMIN_PASSWORD: 'admin123',
      CORS_ORIGINS: '*',
      TRUST_PROXY: '',
    });
    const { message } = new ConfigError(problems);
    for (const key of ['JWT_SECRET', 'DB_PASS', 'GRAFANA_ADMIN_PASSWORD', 'CORS_ORIGINS', 'TRUST_PROXY']) {
      expect(message).toContain(`  - ${key}: `);
    }
    for (const secret of ['never-deploy-this', 'root123', 'admin123']) expect(message).not.toContain(secret);
  });

  it('is stricter than the others: they start with all of that', () => {
    const lax: Env = { DB_PASS: 'password', GRAFANA_ADMIN_PASSWORD: 'admin', CORS_ORIGINS: '*', TRUST_PROXY: '' };
    for (const APP_ENV of ['local', 'testnet']) expect(refusals({ ...lax, APP_ENV })).toEqual([]);
  });
});

it('has defaults that serve', () => {
  expect(load(needed)).toMatchObject({
    appEnv: 'local',
    db: { port: 3306, poolSize: 25, maxIdle: 10, maxLifetimeSeconds: 300 },
    redis: undefined,
    rateLimit: { perSecond: 10, burst: 20 },
    trustProxy: [],
    corsOrigins: '*',
    shutdownDelayMs: 1000,
  });
  expect(load(inProduction).corsOrigins).toEqual([]);
  expect(load({ ...needed, CORS_ORIGINS: '' }).corsOrigins).toBe('*');
});

it('reads lists', () => {
  const config = load({
    ...needed,
    TRUST_PROXY: ' 10.0.0.0/8, ::1 ,',
    CORS_ORIGINS: 'https://a.example, http://localhost:3000',
  });
  expect(config.trustProxy).toEqual(['10.0.0.0/8', '::1']);
  expect(config.corsOrigins).toEqual(['https://a.example', 'http://localhost:3000']);
});

it.each(['*,https://a.example', 'https://a.example/', 'https://*.example', 'null', 'javascript:alert(1)'])(
  'refuses CORS_ORIGINS=%s',
  (CORS_ORIGINS) => {
    expect(problemsOf(() => load({ ...needed, CORS_ORIGINS }))).toHaveLength(1);
  },
);
