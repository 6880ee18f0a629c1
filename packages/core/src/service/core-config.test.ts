import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { z } from 'zod';
import { ConfigError, type Env, readEnv, setting } from '../config';
import { loadConfig } from './core-config';

const RANDOM_SECRET = '3f1c9a7e5b2d8064c1f0e9d8b7a65432';
const needed: Env = { DB_HOST: 'db', DB_USER: 'shop', DB_NAME: 'shop', JWT_SECRET: RANDOM_SECRET, SHOP_PORT: '8080' };
const inProduction: Env = {
  ...needed,
  APP_ENV: 'production',
  DB_PASS: 'x7Kq2mVw9Tz4',
  REDIS_HOST: 'redis',
  REDIS_PASSWORD: 'm4Rt8sXc2Jq6',
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

  it('has no line that would be skipped in silence, and no word of a secret in the message', () => {
    const path = file(
      '.env.skipped',
      `# DB_HOST\n\nKEY="-----BEGIN\nline of a key\n-----END"\nexport DB_HOST=db\nDB_PASS hunter2\nNOTE=it's\n  swordfish\n`,
    );
    expect(problemsOf(() => readEnv({ ENV_FILE: path }))).toEqual([
      `${path}, line 7 (DB_PASS): there is no "="`,
      `${path}, line 9: there is no "="`,
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
  const own = z.object({ MAX_THINGS: setting.integer(1, 100), NAME: z.string() });
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

  it.each(['testnet', 'production'])('has at least 32 bytes in %s, however many characters that is', (environment) => {
    const tooShort = ['JWT_SECRET: must have at least 32 bytes'];
    expect(refusal(environment, RANDOM_SECRET)).toEqual([]);
    expect(refusal(environment, RANDOM_SECRET.slice(1))).toEqual(tooShort);
    // 16 and 17 characters of Latin-1, two bytes each in UTF-8, but for one.
    expect(refusal(environment, 'àáâãäåæçèéêëìíîï')).toEqual([]);
    expect(refusal(environment, 'xàáâãäåæçèéêëìíî')).toEqual(tooShort);
  });

  it('has at least 8 different characters in production', () => {
    expect(refusal('production', 'qzXv7KmW'.repeat(4))).toEqual([]);
    expect(refusal('production', 'qzXv7Kmq'.repeat(4))).toEqual([
      'JWT_SECRET: is a well-known value: make one with `openssl rand -hex 32`',
    ]);
  });

  it('is called what it is when it is a placeholder', () => {
    for (const secret of ['CHANGE_ME', 'your-super-secret-jwt-key-please-replace', '<secret>', '...']) {
      expect(refusal('production', secret)).toEqual([
        'JWT_SECRET: is a placeholder: make one with `openssl rand -hex 32`',
      ]);
    }
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
  ])('refuses "%s" as the password of the database, of Redis and of Grafana', (password) => {
    expect(refused({ DB_PASS: password })).toEqual(['DB_PASS']);
    expect(refused({ REDIS_PASSWORD: password })).toEqual(['REDIS_PASSWORD']);
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
    ['everybody in two halves', 'TRUST_PROXY', '0.0.0.0/1,128.0.0.0/1'],
    ['everybody in two halves of IPv6', 'TRUST_PROXY', '::/1, 8000::/1'],
    ['all that is routed in IPv6', 'TRUST_PROXY', '2000::/3'],
    ['all of IPv4, written as IPv6', 'TRUST_PROXY', '::ffff:0.0.0.0/97,::ffff:128.0.0.0/97'],
    ['the same in hexadecimal', 'TRUST_PROXY', '0:0:0:0:0:ffff:0:0/100'],
    ['an origin over http', 'CORS_ORIGINS', 'https://shop.test,http://admin.shop.test'],
  ])('refuses %s', (_what, key, value) => {
    expect(refused({ [key]: value })).toEqual([key]);
  });

  it.each([
    ['10.0.0.0/8', '10.0.0.0/7'],
    ['::ffff:10.0.0.0/104', '::ffff:10.0.0.0/103'],
    ['2001:db8::/16', '2001::/15'],
    ['fc00::/7', 'fc00::/6'],
    ['fe80::/10', 'fec0::/10'],
  ])('trusts %s, and not the wider %s', (narrow, wide) => {
    expect(refusals({ TRUST_PROXY: narrow })).toEqual([]);
    expect(refusals({ TRUST_PROXY: `172.16.0.0/12,${wide}` })).toEqual([
      expect.stringContaining('TRUST_PROXY: trusts too many addresses'),
    ]);
  });

  it('needs a password for Redis where there is one', () => {
    expect(refusals({ REDIS_PASSWORD: undefined })).toEqual([
      expect.stringContaining('REDIS_PASSWORD: is required in production where REDIS_HOST is set'),
    ]);
    expect(refusals({ REDIS_PASSWORD: undefined, REDIS_PASSWORD_FILE: file('redis-pass', 'm4Rt8sXc2Jq6\n') })).toEqual(
      [],
    );
    expect(refusals({ REDIS_PASSWORD: undefined, REDIS_HOST: undefined })).toEqual([]);
  });

  it('says "is required" only of what is absent', () => {
    expect(refusals({ DB_PASS: undefined })).toEqual(['DB_PASS: is required']);
    for (const value of ['CHANGE_ME', '<your password>', 'replace-me']) {
      const told = 'is a placeholder: make one with `openssl rand -hex 24`';
      expect(refusals({ DB_PASS: value, REDIS_PASSWORD: value })).toEqual([
        `DB_PASS: ${told}`,
        `REDIS_PASSWORD: ${told}`,
      ]);
    }
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
    const lax: Env = {
      DB_PASS: 'password',
      REDIS_PASSWORD: '',
      GRAFANA_ADMIN_PASSWORD: 'admin',
      CORS_ORIGINS: 'http://localhost:3000',
      TRUST_PROXY: '0.0.0.0/1,128.0.0.0/1',
    };
    for (const APP_ENV of ['local', 'testnet']) {
      expect(refusals({ ...lax, APP_ENV })).toEqual([]);
      expect(refusals({ ...lax, APP_ENV, CORS_ORIGINS: '*', TRUST_PROXY: '' })).toEqual([]);
    }
  });
});

it('has defaults that serve', () => {
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

it.each([
  ['SHOP_PORT', 1, 65_535],
  ['DB_PORT', 1, 65_535],
  ['REDIS_PORT', 1, 65_535],
  ['DB_POOL_SIZE', 1, 1000],
  ['DB_POOL_MAX_IDLE', 0, 1000],
  ['DB_CONNECTION_MAX_LIFETIME_SECONDS', 1, 86_400],
  ['FLEET_PROCESSES', 1, 10_000],
  ['RATE_LIMIT_PER_SECOND', 1, 999_999_999],
  ['RATE_LIMIT_BURST', 1, 999_999_999],
  ['SHUTDOWN_DELAY_SECONDS', 0, 5],
])('%s is a whole number from %d to %d', (key, min, max) => {
  const problems = (value: string) => problemsOf(() => load({ ...needed, [key]: value }));
  for (const right of [min, max]) expect(problems(String(right))).toEqual([]);
  for (const wrong of [min - 1, max + 1, min + 0.5, '1e3', '0x10', ' 1', '9'.repeat(30)]) {
    expect(problems(String(wrong))).toEqual([`${key}: must be a whole number from ${min} to ${max}`]);
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
])('TRUST_PROXY=%s: %j', (TRUST_PROXY, isTaken) => {
  const told = 'TRUST_PROXY: must be IP addresses or CIDR blocks (not /0), comma-separated';
  expect(problemsOf(() => load({ ...needed, TRUST_PROXY }))).toEqual(isTaken ? [] : [told]);
  // What is taken, Express takes as well: it throws otherwise.
  if (isTaken) express().set('trust proxy', [TRUST_PROXY]);
});
