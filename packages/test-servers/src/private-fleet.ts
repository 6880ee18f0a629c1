import path from 'node:path';
import type { Env } from '@shop/core/config';
import { createFleet, type Fleet, type FleetOptions } from './fleet';
import { type MysqlServer, mysqlServer } from './mysql-server';
import { dataDir } from './paths';
import { type RedisServer, redisServer } from './redis-server';
import { applySchema } from './schema';
import { loginVariables, serviceNames } from './services';

interface PrivateFleetOptions {
  /** For data, logs and uploads. The caller deletes it. */
  dir: string;
  jwtSecret: string;
  replicas?: FleetOptions['replicas'];
  statusPort?: FleetOptions['statusPort'];
  env?: Env | undefined;
}

/** The six services as processes behind a real Nginx, with their own database and Redis, which tests may kill. */
export interface PrivateFleet {
  readonly fleet: Fleet;
  readonly mysql: MysqlServer;
  readonly redis: RedisServer;
  /** Resolves when everything is ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** As in production, each service has a database user of its own. */
const ownUsers = Object.fromEntries(serviceNames.map((service) => [loginVariables(service).user, service]));

/**
 * A fleet on free ports, practically without rate limits, not started yet. Acknowledged commits are on disk. Redis keeps its
 * data across restarts, which is the harder case for a cache.
 */
export async function privateFleet({ dir, ...options }: PrivateFleetOptions): Promise<PrivateFleet> {
  const [mysql, redis] = await Promise.all([
    mysqlServer({
      dir: path.join(dir, 'mysql'),
      templates: path.join(dataDir, 'templates'),
      maxConnections: 300,
      dieWithParent: true,
    }),
    redisServer({ dir: path.join(dir, 'redis'), appendonly: true, dieWithParent: true }),
  ]);
  const env: Env = {
    APP_ENV: 'local',
    DB_HOST: mysql.host,
    DB_PORT: String(mysql.port),
    DB_USER: mysql.user,
    DB_PASS: mysql.password,
    DB_NAME: mysql.database,
    DB_POOL_SIZE: '15',
    REDIS_HOST: redis.host,
    REDIS_PORT: String(redis.port),
    JWT_SECRET: options.jwtSecret,
    RATE_LIMIT_PER_SECOND: '100000',
    RATE_LIMIT_BURST: '100000',
    UPLOAD_PATH: path.join(dir, 'uploads'),
    SHUTDOWN_DELAY_SECONDS: '1',
    ...ownUsers,
    ...options.env,
  };
  const fleet = await createFleet({
    env,
    runDir: dir,
    replicas: options.replicas,
    statusPort: options.statusPort,
    listenAddress: '127.0.0.1',
    dieWithParent: true,
  });
  return {
    fleet,
    mysql,
    redis,
    async start() {
      await Promise.all([mysql.start(), redis.start()]);
      await applySchema(mysql.settings, { env });
      await fleet.start();
    },
    async stop() {
      await fleet.stop();
      await Promise.all([mysql.stop(), redis.stop()]);
    },
  };
}
