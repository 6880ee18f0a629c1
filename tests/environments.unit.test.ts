import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { addressService } from '@shop/address';
import { authService } from '@shop/auth';
import { readSettings as readBackupSettings } from '@shop/backup/settings';
import { ConfigError, type Env } from '@shop/core/config';
import { loadConfig } from '@shop/core/service';
import { fileService } from '@shop/file';
import { productService } from '@shop/product';
import { databaseUsers } from '@shop/shop';
import { storeService } from '@shop/store';
import { repoRoot } from '@shop/test-servers';
import { transactionService } from '@shop/transaction';

/** Compares the environment files with the settings that the services read. */

const services = [authService, productService, transactionService, addressService, storeService, fileService];
const environments = ['local', 'testnet', 'production'] as const;
const fileOf = (environment: string) => path.join(repoRoot, `.env.${environment}`);
const valuesIn = (environment: string): Env => parseEnv(readFileSync(fileOf(environment), 'utf8'));
/** In file order. */
const keysOf = (environment: string) =>
  [...readFileSync(fileOf(environment), 'utf8').matchAll(/^([A-Z0-9_]+)=/gm)].map(([, key]) => key);

/** Settings that an operator adds, because the files contain no secrets. */
const added: Record<(typeof environments)[number], Env> = {
  local: {},
  testnet: { JWT_SECRET: 'Zq8-vT3x_Lr7wN2k.Jm5yB9cHd6fGs4pA1uEi0o' },
  production: {
    JWT_SECRET: 'Zq8-vT3x_Lr7wN2k.Jm5yB9cHd6fGs4pA1uEi0o',
    DB_PASS: 'x7Kq2mVw9Tz4',
    REDIS_PASSWORD: 'm4Rt8sXc2Jq6',
    SMTP_HOST: 'smtp.shop.test',
    PASSWORD_RESET_URL: 'https://shop.test/reset-password',
  },
};

function problemsOf(service: (typeof services)[number], env: Env): string[] {
  try {
    loadConfig(service, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test.each(['testnet', 'production'])(
  '.env.%s has the keys of .env.local, in the same order, without duplicates',
  (environment) => {
    expect(keysOf(environment)).toEqual(keysOf('local'));
    expect(new Set(keysOf(environment)).size).toBe(keysOf(environment).length);
  },
);

describe.each(environments)('.env.%s', (environment) => {
  test.each(services)('starts the $name service', (service) => {
    const env = { ...valuesIn(environment), ...added[environment] };
    expect(env.APP_ENV).toBe(environment);
    expect(problemsOf(service, env)).toEqual([]);
  });
});

test('production does not start until the operator has added their settings, and reports all missing ones at once', () => {
  const env = valuesIn('production');
  const missing = (service: (typeof services)[number]) =>
    problemsOf(service, env)
      .map((problem) => problem.split(':')[0])
      .sort();
  expect(missing(addressService)).toEqual(['DB_PASS', 'JWT_SECRET', 'REDIS_PASSWORD']);
  expect(missing(authService)).toEqual(['DB_PASS', 'JWT_SECRET', 'PASSWORD_RESET_URL', 'REDIS_PASSWORD', 'SMTP_HOST']);
});

test('with the settings of .env.local, production refuses each known default', () => {
  const env: Env = { ...valuesIn('local'), APP_ENV: 'production', TRUST_PROXY: '' };
  const refused = problemsOf(authService, env).map((problem) => problem.split(':')[0]);
  expect(refused.sort()).toEqual([
    'CORS_ORIGINS',
    'DB_PASS',
    'FACTOR_KEY',
    'GRAFANA_ADMIN_PASSWORD',
    'JWT_SECRET',
    'PASSWORD_RESET_URL',
    'REDIS_PASSWORD',
    'SMTP_HOST',
    'TRUST_PROXY',
  ]);
});

test('the files contain exactly the settings that are read', () => {
  const read = new Set<string>();
  for (const service of services) {
    const env = { ...valuesIn('production'), ...added.production };
    const watched = new Proxy(env, {
      get: (target, key) => {
        read.add(String(key));
        return Reflect.get(target, key);
      },
    });
    loadConfig(service, watched);
    readBackupSettings(watched);
    databaseUsers(watched, { DB_USER: '', DB_PASS: '', DB_NAME: '' }, []);
  }
  const settings = [...read].filter((key) => !key.endsWith('_FILE'));
  // Read by Nginx and the image build.
  expect(new Set([...settings, 'GATEWAY_PORT', 'CONNECTIONS_PER_CLIENT'])).toEqual(
    new Set([...keysOf('local'), 'GIT_REVISION']),
  );
});
