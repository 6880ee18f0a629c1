import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type Env } from '@shop/core/config';
import { loadConfig } from '@shop/core/service';
import { z } from 'zod';
import { productionRules } from './production';

const RANDOM_SECRET = '3f1c9a7e5b2d8064c1f0e9d8b7a65432';
const inProduction: Env = {
  DB_HOST: 'db',
  DB_USER: 'shop',
  DB_NAME: 'shop',
  JWT_SECRET: RANDOM_SECRET,
  SHOP_PORT: '8080',
  APP_ENV: 'production',
  DB_PASS: 'x7Kq2mVw9Tz4',
  REDIS_HOST: 'redis',
  REDIS_PASSWORD: 'm4Rt8sXc2Jq6',
  TRUST_PROXY: '10.0.0.0/8',
};

function problemsOf(overrides: Env): string[] {
  try {
    loadConfig(
      { portKey: 'SHOP_PORT', settings: z.object({}), production: productionRules },
      { ...inProduction, ...overrides },
    );
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

describe('JWT_SECRET', () => {
  const refusal = (JWT_SECRET: string) => problemsOf({ JWT_SECRET });

  it.each([
    ['missing', ''],
    ['the secret of .env.local', 'local-development-only-secret-never-deploy-this'],
    ["the secret of this project's tests", 'a-secret-for-tests-only-0123456789abcdef'],
    ["jwt.io's example", 'a-string-secret-at-least-256-bits-long'],
    ["a tutorial's example", 'your-super-secret-jwt-key-please-replace'],
    ['a placeholder', 'CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME'],
    ['one repeated letter', 'a'.repeat(64)],
    ['a repeated short word', 'secret'.repeat(10)],
  ])('is refused in production when it is %s', (_what, secret) => {
    const problems = refusal(secret);
    expect(problems).toEqual([expect.stringMatching(/^JWT_SECRET: /)]);
    if (secret) expect(problems.join()).not.toContain(secret);
  });

  it.each(['JWT_SECRET_NEXT', 'JWT_SECRET_PREVIOUS'])('%s is checked alike', (key) => {
    expect(problemsOf({ [key]: RANDOM_SECRET })).toEqual([]);
    expect(problemsOf({ [key]: 'secret'.repeat(10) })).toEqual([
      expect.stringMatching(`^${key}: is a well-known value`),
    ]);
  });

  it('must have at least 8 different characters in production', () => {
    expect(refusal('qzXv7KmW'.repeat(4))).toEqual([]);
    expect(refusal('qzXv7Kmq'.repeat(4))).toEqual([
      'JWT_SECRET: is a well-known value: make one with `openssl rand -hex 32`',
    ]);
  });

  it('that is a placeholder is reported as a placeholder', () => {
    for (const secret of ['CHANGE_ME', 'your-super-secret-jwt-key-please-replace', '<secret>', '...']) {
      expect(refusal(secret)).toEqual(['JWT_SECRET: is a placeholder: make one with `openssl rand -hex 32`']);
    }
  });

  it('of 32 random bytes is accepted', () => {
    expect(refusal(RANDOM_SECRET)).toEqual([]);
    expect(refusal(`${'ł'.repeat(8)}Qx7!pR2zK9mW#t4v`)).toEqual([]);
  });
});

describe('production', () => {
  const refusedKeys = (overrides: Env) => problemsOf(overrides).map((problem) => problem.split(':')[0]);

  it('starts with settings of its own', () => {
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ GRAFANA_ADMIN_PASSWORD: 'nX3vQ8wLr2Zk', CORS_ORIGINS: 'https://shop.test' })).toEqual([]);
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
    expect(refusedKeys({ DB_PASS: password })).toEqual(['DB_PASS']);
    expect(refusedKeys({ REDIS_PASSWORD: password })).toEqual(['REDIS_PASSWORD']);
    // Not set: Grafana gets its password from elsewhere.
    expect(refusedKeys({ GRAFANA_ADMIN_PASSWORD: password })).toEqual(password ? ['GRAFANA_ADMIN_PASSWORD'] : []);
  });

  it('refuses a FACTOR_KEY that is public or easy to guess, and needs none', () => {
    expect(problemsOf({ FACTOR_KEY: RANDOM_SECRET })).toEqual([]);
    for (const key of ['local-development-only-factor-key-never-deploy-this', 'secret'.repeat(10), 'CHANGE_ME']) {
      expect(problemsOf({ FACTOR_KEY: key })).toEqual([
        expect.stringMatching(/^FACTOR_KEY: is a (well-known|placeholder)/),
      ]);
    }
  });

  it('checks secret files too', () => {
    expect(refusedKeys({ DB_PASS: undefined, DB_PASS_FILE: file('default-pass', 'password\n') })).toEqual(['DB_PASS']);
    expect(refusedKeys({ DB_PASS_FILE: file('good-pass', 'x7Kq2mVw9Tz4\n') })).toEqual([]);
    expect(refusedKeys({ DB_PASS_FILE: '/no/such/file' })).toEqual(['DB_PASS_FILE']);
    expect(refusedKeys({ APP_ENV: '', APP_ENV_FILE: file('env', 'production'), DB_PASS: 'root' })).toEqual(['DB_PASS']);
  });

  it.each([
    ['any origin', 'CORS_ORIGINS', '*'],
    ['no trusted proxy', 'TRUST_PROXY', ''],
    ['every IP address as a trusted proxy', 'TRUST_PROXY', '10.0.0.0/8, 0.0.0.0/0'],
    ['every IPv4 address in two halves', 'TRUST_PROXY', '0.0.0.0/1,128.0.0.0/1'],
    ['every IPv6 address in two halves', 'TRUST_PROXY', '::/1, 8000::/1'],
    ['all routed IPv6 addresses', 'TRUST_PROXY', '2000::/3'],
    ['every IPv4 address, written as IPv6', 'TRUST_PROXY', '::ffff:0.0.0.0/97,::ffff:128.0.0.0/97'],
    ['a wide IPv4 block in hexadecimal IPv6 notation', 'TRUST_PROXY', '0:0:0:0:0:ffff:0:0/100'],
    ['an origin over http', 'CORS_ORIGINS', 'https://shop.test,http://admin.shop.test'],
  ])('refuses %s', (_what, key, value) => {
    expect(refusedKeys({ [key]: value })).toEqual([key]);
  });

  it.each([
    ['10.0.0.0/8', '10.0.0.0/7'],
    ['::ffff:10.0.0.0/104', '::ffff:10.0.0.0/103'],
    ['2001:db8::/16', '2001::/15'],
    ['fc00::/7', 'fc00::/6'],
    ['fe80::/10', 'fec0::/10'],
  ])('trusts %s but not the wider %s', (narrow, wide) => {
    expect(problemsOf({ TRUST_PROXY: narrow })).toEqual([]);
    expect(problemsOf({ TRUST_PROXY: `172.16.0.0/12,${wide}` })).toEqual([
      expect.stringContaining('TRUST_PROXY: trusts too many addresses'),
    ]);
  });

  it('requires a password for Redis if REDIS_HOST is set', () => {
    expect(problemsOf({ REDIS_PASSWORD: undefined })).toEqual([
      expect.stringContaining('REDIS_PASSWORD: is required in production where REDIS_HOST or REDIS_SENTINELS is set'),
    ]);
    expect(
      problemsOf({ REDIS_PASSWORD: undefined, REDIS_PASSWORD_FILE: file('redis-pass', 'm4Rt8sXc2Jq6\n') }),
    ).toEqual([]);
    expect(problemsOf({ REDIS_PASSWORD: undefined, REDIS_HOST: undefined })).toEqual([]);
  });

  it('reports "is required" only for missing settings', () => {
    expect(problemsOf({ DB_PASS: undefined })).toEqual(['DB_PASS: is required']);
    for (const value of ['CHANGE_ME', '<your password>', 'replace-me']) {
      const problem = 'is a placeholder: make one with `openssl rand -hex 24`';
      expect(problemsOf({ DB_PASS: value, REDIS_PASSWORD: value })).toEqual([
        `DB_PASS: ${problem}`,
        `REDIS_PASSWORD: ${problem}`,
      ]);
    }
  });

  it('reports all problems in one message, without secrets', () => {
    const problems = problemsOf({
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

  it('is stricter than the other environments, which accept all of these settings', () => {
    const insecure: Env = {
      DB_PASS: 'password',
      REDIS_PASSWORD: '',
      GRAFANA_ADMIN_PASSWORD: 'admin',
      CORS_ORIGINS: 'http://localhost:3000',
      TRUST_PROXY: '0.0.0.0/1,128.0.0.0/1',
    };
    for (const APP_ENV of ['local', 'testnet']) {
      expect(problemsOf({ ...insecure, APP_ENV })).toEqual([]);
      expect(problemsOf({ ...insecure, APP_ENV, CORS_ORIGINS: '*', TRUST_PROXY: '' })).toEqual([]);
    }
  });
});
