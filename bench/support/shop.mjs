import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);
const { accessTokens } = require('@shop/core');
const { applySql, repoRoot, serviceServer, startMysql, startRedis, freePort, withConnection } = require('@shop/fleet');

const JWT_SECRET = 'a-secret-for-benchmarks-only-0123456789';
const UNLIMITED = '1000000';

/**
 * One instance of `service` as in production (auth, rate limit, metrics, logs to a file), over a database and a Redis of its
 * own; only the rate limit's numbers are out of the way.
 */
export async function startService(service, settings = {}) {
  const dir = await mkdtemp(path.join(tmpdir(), 'shop-bench-'));
  const mysql = await startMysql({ dir: path.join(dir, 'mysql'), dieWithParent: true });
  const redis = await startRedis({ dir: path.join(dir, 'redis'), dieWithParent: true });
  await applySql(
    mysql.settings,
    ['schema.sql', 'seed.sql'].map((file) => path.join(repoRoot, 'sql', file)),
  );
  const instance = serviceServer({
    service,
    index: 0,
    port: await freePort(),
    logFile: path.join(dir, `${service}.log`),
    dieWithParent: true,
    env: {
      APP_ENV: 'local',
      NODE_ENV: 'production',
      DB_HOST: mysql.host,
      DB_PORT: String(mysql.port),
      DB_USER: mysql.user,
      DB_PASS: mysql.password,
      DB_NAME: mysql.database,
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      JWT_SECRET,
      RATE_LIMIT_PER_SECOND: UNLIMITED,
      RATE_LIMIT_BURST: UNLIMITED,
      UPLOAD_PATH: path.join(dir, 'uploads'),
      ...settings,
    },
  });
  await instance.start();
  return {
    url: instance.url,
    database: mysql.settings,
    adminToken: accessTokens(JWT_SECRET, 86_400).issue({ id: 1, role: 'admin' }).token,
    sql: (statement, values) =>
      withConnection(mysql.settings, 60_000, (connection) => connection.query(statement, values)),
    async stop() {
      await instance.stop();
      await redis.stop();
      await mysql.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
