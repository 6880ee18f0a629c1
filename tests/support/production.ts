import { randomBytes } from 'node:crypto';
import type { Env } from '@shop/core/config';
import { applySchema } from '@shop/test-servers';
import { ownUsers } from './own-users';
import { testEnv } from './test-app';
import { closeTestDatabase, write } from './test-database';

/** Settings that `APP_ENV=production` accepts, with a new database user, because the suite's password is public. */
export async function productionEnv(database = testEnv().DB_NAME ?? ''): Promise<Env> {
  const user = `prod_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(16).toString('hex');
  await write(`CREATE USER ${user}@'%' IDENTIFIED BY '${password}'`);
  await write(`GRANT ALL ON ${database}.* TO ${user}@'%'`);
  return {
    APP_ENV: 'production',
    DB_USER: user,
    DB_PASS: password,
    DB_NAME: database,
    JWT_SECRET: randomBytes(32).toString('hex'),
    // Production refuses a Redis without a password, and the suite's have none.
    REDIS_HOST: '',
    TRUST_PROXY: '127.0.0.2/32',
    SMTP_HOST: 'smtp.invalid',
    PASSWORD_RESET_URL: 'https://shop.test/reset',
  };
}

/**
 * A new database with only schema and seed.
 * @param env names the database users that get rights in it; default: none
 * @returns its name
 */
export async function aFreshDatabase(env: Env = {}): Promise<string> {
  const name = `shop_fresh_${randomBytes(4).toString('hex')}`;
  await write(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASS = '' } = testEnv();
  const server = { host: DB_HOST, port: Number(DB_PORT), user: DB_USER, password: DB_PASS };
  await applySchema({ ...server, database: name }, { env });
  return name;
}

/**
 * Gives this test file a database of its own, where no test of a concurrent file does anything. Call it first: `rows`, `startApp`
 * and all others use it from then on.
 */
export async function useOwnDatabase(): Promise<void> {
  const name = await aFreshDatabase(ownUsers(process.env.SHOP_TEST_DB_USER_PREFIX ?? ''));
  await closeTestDatabase();
  process.env.SHOP_TEST_DB_NAME = name;
}
