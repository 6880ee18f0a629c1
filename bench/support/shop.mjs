import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const { accessTokenIssuer, secretKey } = require('@shop/core/auth');
const {
  applySchema,
  serviceServer,
  startMysql,
  startRedis,
  freePort,
  temporaryFolder,
  withConnection,
} = require('@shop/test-servers');

export const JWT_SECRET = 'a-secret-for-benchmarks-only-0123456789';
const UNLIMITED = '1000000';

const tokens = accessTokenIssuer(secretKey(JWT_SECRET), { lifetimeSeconds: 86_400 });
export const tokenFor = (caller) => tokens.issue(caller).token;

/** MySQL with the schema (or the given database) and Redis, and the settings of services that use them as in production. */
export async function startBackends(given = undefined) {
  const dir = await temporaryFolder('shop-bench-');
  const mysql = given
    ? undefined
    : await startMysql({ dir: path.join(dir, 'mysql'), binaryLog: true, dieWithParent: true });
  const redis = await startRedis({ dir: path.join(dir, 'redis'), dieWithParent: true });
  const database = given ?? mysql.settings;
  if (mysql) await applySchema(database);
  return {
    dir,
    database,
    redis: redis.settings,
    pids: { ...(mysql && { database: mysql.pid }), redis: redis.pid },
    env: {
      APP_ENV: 'local',
      NODE_ENV: 'production',
      DB_HOST: database.host,
      DB_PORT: String(database.port),
      DB_USER: database.user,
      DB_PASS: database.password,
      DB_NAME: database.database,
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      JWT_SECRET,
      RATE_LIMIT_PER_SECOND: UNLIMITED,
      RATE_LIMIT_BURST: UNLIMITED,
      UPLOAD_PATH: path.join(dir, 'uploads'),
    },
    async stop() {
      await redis.stop();
      await mysql?.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * One replica of each service as in production (auth, rate limit, metrics, logs to a file), with their own Redis and with the given
 * database or their own. Only the rate limit is raised so that it has no effect.
 */
export async function startShop(services, settings = {}, given = undefined) {
  const backends = await startBackends(given);
  const { dir, database, pids, redis } = backends;
  const started = [];
  const stop = async () => {
    for (const instance of started) await instance.stop();
    await backends.stop();
  };
  try {
    for (const service of services) {
      const instance = serviceServer({
        service,
        index: 0,
        port: await freePort(),
        logFile: path.join(dir, `${service}.log`),
        dieWithParent: true,
        env: { ...backends.env, ...settings },
      });
      started.push(instance);
      await instance.start();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const each = (of) => Object.fromEntries(started.map((instance) => [instance.service, of(instance)]));
  return {
    urls: each(({ url }) => url),
    servicePids: each(({ pid }) => pid),
    /** Of the servers behind the services. */
    pids,
    database,
    redis,
    dir,
    adminToken: tokenFor({ id: 1, role: 'admin' }),
    sql: (statement, values) => withConnection(database, 60_000, (connection) => connection.query(statement, values)),
    stop,
  };
}

/** The same with one service. */
export async function startService(service, settings = {}, given = undefined) {
  const shop = await startShop([service], settings, given);
  return { ...shop, url: shop.urls[service], pid: shop.servicePids[service] };
}
