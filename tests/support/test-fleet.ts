import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import {
  applySql,
  dataDir,
  type Fleet,
  type FleetOptions,
  type MysqlServer,
  type RedisServer,
  repoRoot,
  startFleet,
  startMysql,
  startRedis,
} from '@shop/fleet';
import { JWT_SECRET } from './test-app';

export interface TestFleet {
  fleet: Fleet;
  mysql: MysqlServer;
  redis: RedisServer;
  stop(): Promise<void>;
}

/**
 * The six services as processes behind a real Nginx, over a database and a Redis of their own that a test may kill. Redis
 * keeps what it holds over a restart, which is the harder case for a cache.
 */
export async function startTestFleet(
  options: Pick<FleetOptions, 'replicas'> & { env?: FleetOptions['env'] } = {},
): Promise<TestFleet> {
  const dir = await mkdtemp(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'fleet-'));
  const [mysql, redis] = await Promise.all([
    startMysql({
      dir: path.join(dir, 'mysql'),
      templates: path.join(dataDir, 'templates'),
      maxConnections: 300,
      dieWithParent: true,
    }),
    startRedis({ dir: path.join(dir, 'redis'), appendonly: true, dieWithParent: true }),
  ]);
  await applySql(mysql.settings, [path.join(repoRoot, 'sql/schema.sql'), path.join(repoRoot, 'sql/seed.sql')]);
  const fleet = await startFleet({
    env: {
      APP_ENV: 'local',
      DB_HOST: mysql.host,
      DB_PORT: String(mysql.port),
      DB_USER: mysql.user,
      DB_PASS: mysql.password,
      DB_NAME: mysql.database,
      DB_POOL_SIZE: '15',
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      JWT_SECRET,
      RATE_LIMIT_PER_SECOND: '100000',
      RATE_LIMIT_BURST: '100000',
      UPLOAD_PATH: path.join(dir, 'uploads'),
      SHUTDOWN_DELAY_SECONDS: '1',
      ...options.env,
    },
    runDir: dir,
    replicas: options.replicas,
    ports: 'free',
    listenAddress: '127.0.0.1',
    dieWithParent: true,
  });
  return {
    fleet,
    mysql,
    redis,
    async stop() {
      await fleet.stop();
      await Promise.all([mysql.stop(), redis.stop()]);
    },
  };
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  /** From the call to the last byte. */
  ms: number;
}

interface CallOptions {
  token?: string | undefined;
  json?: object;
  form?: FormData;
}

/** One request, never longer than 10 s. */
export async function call(method: string, url: string, { token, json, form }: CallOptions = {}): Promise<Answer> {
  const start = performance.now();
  const answer = await fetch(url, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(json ? { 'content-type': 'application/json' } : {}),
    },
    body: form ?? (json ? JSON.stringify(json) : null),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json');
  return {
    status: answer.status,
    headers: answer.headers,
    body: isJson ? JSON.parse(text) : {},
    ms: performance.now() - start,
  };
}
