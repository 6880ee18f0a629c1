import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { z } from 'zod';
import { secretKey } from '../auth';
import { ConfigError, type Env, readEnv, setting } from '../config';
import { loadConfig } from './core-config';

const RANDOM_SECRET = '3f1c9a7e5b2d8064c1f0e9d8b7a65432';
const needed: Env = { DB_HOST: 'db', DB_USER: 'shop', DB_NAME: 'shop', JWT_SECRET: RANDOM_SECRET, SHOP_PORT: '8080' };
const nothing = z.object({});
const load = (env: Env) => loadConfig({ portKey: 'SHOP_PORT', settings: nothing }, env).core;

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
  it('supplies variables that the process environment does not set', () => {
    const path = file('.env.some', '# a comment\nDB_HOST=file\nDB_PORT="3307"\n');
    expect(readEnv({ ENV_FILE: path, DB_HOST: 'process' })).toMatchObject({ DB_HOST: 'process', DB_PORT: '3307' });
  });

  it('is .env.$APP_ENV in the working directory unless ENV_FILE names another file', () => {
    file('.env.local', 'DB_HOST=local\n');
    file('.env.testnet', 'DB_HOST=testnet\n');
    expect(readEnv({}, folder).DB_HOST).toBe('local');
    expect(readEnv({ APP_ENV: 'testnet' }, folder).DB_HOST).toBe('testnet');
    expect(readEnv({ APP_ENV: 'testnet', ENV_FILE: '.env.local' }, folder).DB_HOST).toBe('local');
  });

  it('is optional unless ENV_FILE names it', () => {
    expect(readEnv({ APP_ENV: 'nowhere' }, folder)).toEqual({ APP_ENV: 'nowhere' });
    const missing = join(folder, 'missing.env');
    expect(problemsOf(() => readEnv({ ENV_FILE: missing }))).toEqual([
      expect.stringContaining(`${missing} cannot be read (ENOENT)`),
    ]);
  });

  it('with lines that would be silently skipped is rejected, without showing secrets', () => {
    const path = file(
      '.env.skipped',
      `# DB_HOST\n\nKEY="-----BEGIN\nline of a key\n-----END"\nexport DB_HOST=db\nDB_PASS hunter2\nNOTE=it's\n  swordfish\n`,
    );
    expect(problemsOf(() => readEnv({ ENV_FILE: path }))).toEqual([
      `${path}, line 7 (DB_PASS): there is no "="`,
      `${path}, line 9: there is no "="`,
    ]);
  });

  it('that cannot be read gives a clear error', () => {
    expect(problemsOf(() => readEnv({ ENV_FILE: folder }))).toEqual([
      expect.stringContaining('cannot be read (EISDIR)'),
    ]);
  });

  it('cannot override a value of the process environment with a _FILE variable', () => {
    const path = file('.env.secret', `JWT_SECRET_FILE=${file('secret', 'from-a-file')}\n`);
    expect(load({ ...needed, ...readEnv({ ENV_FILE: path, ...needed }) }).jwtSecret).toBe(RANDOM_SECRET);
  });
});

describe('secrets in files', () => {
  it.each([
    ['JWT_SECRET', (env: Env) => load(env).jwtSecret],
    ['DB_PASS', (env: Env) => load(env).db.password()],
    ['REDIS_PASSWORD', (env: Env) => load({ ...env, REDIS_HOST: 'redis' }).redis?.password()],
  ])('%s_FILE names a file with the value, without its trailing newline', (key, read) => {
    const path = file(`${key}.txt`, 'ein-geheimer-schlüssel\n');
    expect(read({ ...needed, [`${key}_FILE`]: path })).toBe('ein-geheimer-schlüssel');
  });

  it('take precedence over a value given directly', () => {
    expect(load({ ...needed, DB_PASS: 'direct', DB_PASS_FILE: file('pass', 'from-file') }).db.password()).toBe(
      'from-file',
    );
  });

  it('that cannot be read are each reported once, without secrets', () => {
    const problems = problemsOf(() => load({ ...needed, JWT_SECRET_FILE: '/no/such/secret', DB_PASS_FILE: folder }));
    expect(problems.sort()).toEqual([
      `DB_PASS_FILE: ${folder} cannot be read (EISDIR)`,
      'JWT_SECRET_FILE: /no/such/secret cannot be read (ENOENT)',
    ]);
  });

  it('are missing if the file is empty', () => {
    expect(problemsOf(() => load({ ...needed, JWT_SECRET_FILE: file('empty', '\n') }))).toEqual([
      'JWT_SECRET: is required',
    ]);
  });
});

it('reports all invalid variables at once: shared ones, the port, its own ones and the secret', () => {
  const own = z.object({ MAX_THINGS: setting.integer(1, 100), NAME: z.string() });
  const production = {
    settings: z.object({ DB_PASS: z.string().refine((value) => value !== 'root', 'is well known') }),
    weaknessOf: () => 'is weak',
  };
  const problems = problemsOf(() =>
    loadConfig(
      { portKey: 'SHOP_PORT', settings: own, production },
      {
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
      },
    ),
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

describe.each(['JWT_SECRET', 'JWT_SECRET_NEXT', 'JWT_SECRET_PREVIOUS'])('%s', (key) => {
  const refusal = (APP_ENV: string, secret: string) => problemsOf(() => load({ ...needed, APP_ENV, [key]: secret }));

  it.each(['testnet', 'production'])(
    'must have at least 32 bytes in %s, regardless of the number of characters',
    (environment) => {
      const tooShort = [`${key}: must have at least 32 bytes`];
      expect(refusal(environment, RANDOM_SECRET)).toEqual([]);
      expect(refusal(environment, RANDOM_SECRET.slice(1))).toEqual(tooShort);
      // 16 characters, each two bytes in UTF-8 except the ASCII "x".
      expect(refusal(environment, 'àáâãäåæçèéêëìíîï')).toEqual([]);
      expect(refusal(environment, 'xàáâãäåæçèéêëìíî')).toEqual(tooShort);
    },
  );

  it('may be weak only in the local environment', () => {
    expect(refusal('local', 'short')).toEqual([]);
    expect(refusal('testnet', 'short')).toEqual([`${key}: must have at least 32 bytes`]);
  });
});

it('accepts tokens of the current, the next and the previous secret, and signs with the current one', () => {
  const secrets = { JWT_SECRET: 'current', JWT_SECRET_NEXT: 'next', JWT_SECRET_PREVIOUS: 'previous' };
  const { jwtSecret, tokenKeys } = load({ ...needed, ...secrets });
  expect(jwtSecret).toBe('current');
  expect(tokenKeys).toEqual(['current', 'next', 'previous'].map(secretKey));
  expect(load({ ...needed, JWT_SECRET_NEXT: '' }).tokenKeys).toEqual([secretKey(RANDOM_SECRET)]);
});

it('has usable defaults', () => {
  expect(load(needed)).toMatchObject({
    appEnv: 'local',
    db: { port: 3306, poolSize: 25, maxIdle: 10, maxLifetimeSeconds: 300 },
    redis: undefined,
    rateLimit: {
      general: { perSecond: 10, burst: 20 },
      uploads: { perSecond: 100, burst: 200 },
      preflights: { perSecond: 100, burst: 200 },
    },
    trustProxy: [],
    corsOrigins: '*',
    shutdownDelayMs: 1000,
  });
  expect(load({ ...needed, APP_ENV: 'production' }).corsOrigins).toEqual([]);
  expect(load({ ...needed, CORS_ORIGINS: '' }).corsOrigins).toBe('*');
});

it('parses lists', () => {
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

it.each([
  ['SHOP_PORT', 1, 65_535],
  ['DB_PORT', 1, 65_535],
  ['REDIS_PORT', 1, 65_535],
  ['DB_POOL_SIZE', 1, 1000],
  ['DB_POOL_MAX_IDLE', 0, 1000],
  ['DB_CONNECTION_MAX_LIFETIME_SECONDS', 1, 86_400],
  ['DB_SLOW_STATEMENT_MS', 0, 60_000],
  ['FLEET_PROCESSES', 1, 10_000],
  ['RATE_LIMIT_PER_SECOND', 1, 999_999_999],
  ['RATE_LIMIT_BURST', 1, 999_999_999],
  ['SHUTDOWN_DELAY_SECONDS', 0, 5],
])('%s is a whole number from %d to %d', (key, min, max) => {
  const problems = (value: string) => problemsOf(() => load({ ...needed, [key]: value }));
  for (const valid of [min, max]) expect(problems(String(valid))).toEqual([]);
  for (const invalid of [min - 1, max + 1, min + 0.5, '1e3', '0x10', ' 1', '9'.repeat(30)]) {
    expect(problems(String(invalid))).toEqual([`${key}: must be a whole number from ${min} to ${max}`]);
  }
});

it('GIT_REVISION has at most 64 characters', () => {
  const problems = (length: number) => problemsOf(() => load({ ...needed, GIT_REVISION: 'a'.repeat(length) }));
  expect(problems(64)).toEqual([]);
  expect(problems(65)).toEqual([expect.stringMatching(/^GIT_REVISION: .*64/)]);
});

it.each([
  ['127.0.0.1', true],
  ['10.0.0.0/32', true],
  ['10.0.0.0/33', false],
  ['10.0.0.0/1', true],
  ['10.0.0.0/0', false],
  ['::1', true],
  ['2001:db8::/128', true],
  ['2001:db8::/129', false],
  ['2001:db8::/1', true],
  ['::/0', false],
  ['::ffff:10.0.0.0/97', true],
  ['::ffff:10.0.0.0/96', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0', false],
  ['fe80::1%eth0', false],
  ['loopback', false],
  ['true', false],
])('TRUST_PROXY=%s is accepted: %j', (TRUST_PROXY, isAccepted) => {
  const problem = 'TRUST_PROXY: must be IP addresses or CIDR blocks (not /0), comma-separated';
  expect(problemsOf(() => load({ ...needed, TRUST_PROXY }))).toEqual(isAccepted ? [] : [problem]);
  // Express accepts it too: otherwise it throws.
  if (isAccepted) express().set('trust proxy', [TRUST_PROXY]);
});
