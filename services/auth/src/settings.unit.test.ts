import { generateKeyPairSync } from 'node:crypto';
import { authService } from '@shop/auth';
import { ConfigError, type Env } from '@shop/core/config';
import { loadConfig } from '@shop/core/service';
import { testEnv } from '@shop/testing';

const production: Env = {
  ...testEnv(),
  APP_ENV: 'production',
  DB_HOST: 'db',
  UPLOAD_PATH: 'uploads',
  DB_USER: 'shop',
  DB_NAME: 'shop',
  DB_PASS: 'x7Kq2mVw9Tz4',
  REDIS_HOST: '',
  JWT_SECRET: '3f1c9a7e5b2d8064c1f0e9d8b7a65432',
  TRUST_PROXY: '10.0.0.0/8',
  SMTP_HOST: 'smtp.shop.test',
  PASSWORD_RESET_URL: 'https://shop.test/reset',
};

function problemsOf(overrides: Env): string[] {
  try {
    loadConfig(authService, { ...production, ...overrides });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe.each(['local', 'testnet', 'production'])('in %s', (APP_ENV) => {
  test.each([
    ['ACCESS_TOKEN_EXP_SECONDS', 1, 86_400],
    ['REFRESH_TOKEN_EXP_SECONDS', 1, 7_776_000],
    ['REFRESH_GRACE_SECONDS', 0, 60],
    ['SESSION_MAX_DAYS', 1, 90],
    ['AUDIT_RETENTION_DAYS', 1, 3650],
    ['SMTP_PORT', 1, 65_535],
  ])('%s must be an integer from %d to %d', (key, min, max) => {
    for (const right of [min, max]) expect(problemsOf({ APP_ENV, [key]: String(right) })).toEqual([]);
    for (const wrong of [min - 1, max + 1, 999_999_999]) {
      expect(problemsOf({ APP_ENV, [key]: String(wrong) })).toEqual([
        `${key}: must be a whole number from ${min} to ${max}`,
      ]);
    }
  });

  test.each([
    ['help@shop.test', true],
    ['The Shop <help@shop.test>', true],
    ['@', false],
    ['The Shop', false],
    ['The Shop <help>', false],
    ['a@shop.test, b@shop.test', false],
    ['The Shop <help@shop.test>\r\nBcc: a@shop.test', false],
  ])('MAIL_FROM=%j: %j', (MAIL_FROM, isValid) => {
    const message = expect.stringMatching(/^MAIL_FROM: must be an email address/);
    expect(problemsOf({ APP_ENV, MAIL_FROM })).toEqual(isValid ? [] : [message]);
  });
});

describe('JWT_PRIVATE_KEY', () => {
  const pairOf = () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      JWT_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      JWT_PUBLIC_KEYS: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    };
  };

  test('needs its public key in JWT_PUBLIC_KEYS, and no JWT_SECRET', () => {
    const { JWT_PRIVATE_KEY, JWT_PUBLIC_KEYS } = pairOf();
    expect(problemsOf({ JWT_PRIVATE_KEY, JWT_PUBLIC_KEYS, JWT_SECRET: '' })).toEqual([]);
    for (const given of [{}, { JWT_PUBLIC_KEYS: pairOf().JWT_PUBLIC_KEYS }]) {
      expect(problemsOf({ JWT_PRIVATE_KEY, ...given })).toEqual([
        expect.stringMatching(/^JWT_PRIVATE_KEY: its public key must be in JWT_PUBLIC_KEYS/),
      ]);
    }
  });

  test('is required where there are only public keys', () => {
    const { JWT_PUBLIC_KEYS } = pairOf();
    expect(problemsOf({ JWT_PUBLIC_KEYS, JWT_SECRET: '' })).toEqual([
      expect.stringMatching(/^JWT_PRIVATE_KEY: is required without JWT_SECRET/),
    ]);
    expect(problemsOf({ JWT_PUBLIC_KEYS })).toEqual([]);
  });

  test('is checked, and not shown', () => {
    const { JWT_PUBLIC_KEYS } = pairOf();
    expect(problemsOf({ JWT_PUBLIC_KEYS, JWT_PRIVATE_KEY: 'hunter2' })).toEqual([
      'JWT_PRIVATE_KEY: is not a private key in PEM without a password',
    ]);
    expect(problemsOf({ JWT_PUBLIC_KEYS: 'hunter2' })).toEqual(['JWT_PUBLIC_KEYS: has no public key in PEM']);
  });
});

test.each(['PASSWORD_PEPPER', 'FACTOR_KEY'])('%s and its previous values must have 32 bytes', (name) => {
  const long = '0f9e8d7c6b5a49382716f5e4d3c2b1a0';
  const short = long.slice(1);
  expect(problemsOf({ [name]: long, [`${name}_PREVIOUS`]: `${long}1, ${long}2` })).toEqual([]);
  const problems = problemsOf({ [name]: short, [`${name}_PREVIOUS`]: `${long},${short}` });
  expect(problems).toEqual([`${name}: must have at least 32 bytes`, expect.stringContaining(`${name}_PREVIOUS`)]);
});

test('admins can only need a factor where it is set', () => {
  const FACTOR_KEY = '0f9e8d7c6b5a49382716f5e4d3c2b1a0';
  expect(problemsOf({ FACTOR_KEY, REQUIRE_ADMIN_FACTOR: 'true' })).toEqual([]);
  expect(problemsOf({ FACTOR_KEY: '', REQUIRE_ADMIN_FACTOR: 'true' })).toEqual([
    expect.stringMatching(/^REQUIRE_ADMIN_FACTOR: needs FACTOR_KEY/),
  ]);
});

describe('production', () => {
  test.each([
    ['SMTP_HOST', '', 'is required outside the local environment'],
    ['SMTP_HOST', 'smtp.example.com', 'is a placeholder'],
    ['SMTP_HOST', 'CHANGE_ME', 'is a placeholder'],
    ['PASSWORD_RESET_URL', '', 'is required in production'],
    ['PASSWORD_RESET_URL', 'https://shop.example/reset', 'is a placeholder'],
    ['PASSWORD_RESET_URL', 'http://www.example.com/reset', 'is a placeholder'],
    ['PASSWORD_RESET_URL', 'https://your-domain.com/reset', 'is a placeholder'],
    ['PASSWORD_RESET_URL', 'http://localhost:8000/reset', 'is a loopback address'],
    ['PASSWORD_RESET_URL', 'https://127.0.0.1/reset', 'is a loopback address'],
    ['PASSWORD_RESET_URL', 'http://shop.test/reset', 'must be https in production'],
    ['PASSWORD_RESET_URL', 'HTTP://shop.test/reset', 'must be https in production'],
    ['PASSWORD_RESET_URL', 'shop.test/reset', 'must be an http or https URL'],
    ['GOOGLE_CERTS_URL', 'http://www.googleapis.com/oauth2/v1/certs', 'must be https in production'],
  ])('refuses %s=%s: it %s', (key, value, message) => {
    expect(problemsOf({ [key]: value })).toEqual([expect.stringContaining(`${key}: ${message}`)]);
  });

  test('accepts the URLs of a shop whose name sounds like an example', () => {
    const PASSWORD_RESET_URL = 'https://exampleshop.test/reset?from=example';
    expect(problemsOf({ PASSWORD_RESET_URL, SMTP_HOST: 'smtp.exampleshop.test' })).toEqual([]);
  });

  test('reports every problem at once', () => {
    const problems = problemsOf({
      SMTP_HOST: '',
      PASSWORD_RESET_URL: 'http://shop.test/',
      GOOGLE_CERTS_URL: 'http://shop.test/',
      ACCESS_TOKEN_EXP_SECONDS: '999999999',
      CORS_ORIGINS: 'http://shop.test',
      TRUST_PROXY: '0.0.0.0/1,128.0.0.0/1',
      REDIS_HOST: 'redis',
      REDIS_PASSWORD: '',
    });
    expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'ACCESS_TOKEN_EXP_SECONDS',
      'CORS_ORIGINS',
      'GOOGLE_CERTS_URL',
      'PASSWORD_RESET_URL',
      'REDIS_PASSWORD',
      'SMTP_HOST',
      'TRUST_PROXY',
    ]);
  });
});

test.each(['local', 'testnet'])('%s accepts http URLs, for servers on the same machine', (APP_ENV) => {
  const urls = { PASSWORD_RESET_URL: 'http://localhost:8000/reset', GOOGLE_CERTS_URL: 'http://127.0.0.1:9/certs' };
  expect(problemsOf({ APP_ENV, ...urls })).toEqual([]);
});
