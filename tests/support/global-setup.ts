import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import {
  applySchema,
  applySql,
  dataDir,
  messageOf,
  type OwnDatabaseSettings,
  repoRoot,
  serviceNames,
  startMysql,
  startRedis,
  temporaryFolder,
  withConnection,
} from '@shop/test-servers';
import { ownUsers } from './own-users';
import { atTeardown } from './teardown-list';

/**
 * Starts the suite's own servers on free ports: a Redis for each worker, and a MySQL or MariaDB unless TEST_DB_HOST is set.
 * On a given server the suite creates its own database and drops it afterwards.
 */
export default async function setUp({ maxWorkers }: { maxWorkers: number }): Promise<void> {
  const dir = await runFolder();
  const database = await testDatabase(dir);
  // An upgraded database, so that every test shows that the migrations of the oldest schema lead to today's. That
  // sql/schema.sql makes the same tables is a test of its own.
  await applySql(database, [path.join(repoRoot, 'tests/support/schemas/1-first.sql')]);
  const prefix = `t${randomUUID().slice(0, 8)}_`;
  await applySchema(database, { env: ownUsers(prefix) });
  atTeardown(() =>
    withConnection(database, 60_000, async (connection) => {
      for (const name of serviceNames) await connection.query('DROP USER ?', [`${prefix}${name}`]);
    }),
  );
  // One for each worker: a service empties the cache when it starts, which would disturb concurrent test files.
  const redis = await Promise.all(
    Array.from({ length: maxWorkers }, (_, worker) =>
      startRedis({ dir: path.join(dir, `redis-${worker + 1}`), dieWithParent: true }),
    ),
  );
  for (const server of redis) atTeardown(() => server.stop());
  Object.assign(process.env, {
    SHOP_TEST_DIR: dir,
    TMPDIR: dir, // for every test and the processes it starts
    SHOP_TEST_DB_HOST: database.host,
    SHOP_TEST_DB_PORT: String(database.port),
    SHOP_TEST_DB_USER: database.user,
    SHOP_TEST_DB_PASS: database.password,
    SHOP_TEST_DB_NAME: database.database,
    SHOP_TEST_DB_USER_PREFIX: prefix,
    SHOP_TEST_REDIS_PORTS: redis.map(({ port }) => port).join(),
    SHOP_TEST_UPLOADS: path.join(dir, 'uploads'),
  });
}

/** The folder for all files of the run. Removed on exit: jest skips teardown if the run is interrupted or set-up fails. */
async function runFolder(): Promise<string> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
  const dir = await temporaryFolder('shop-tests-');
  process.once('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 20 }));
  return dir;
}

async function testDatabase(dir: string): Promise<OwnDatabaseSettings> {
  const { TEST_DB_HOST, TEST_DB_PORT, TEST_DB_USER, TEST_DB_PASS, TEST_DB_NAME } = process.env;
  if (!TEST_DB_HOST) {
    const mysql = await startMysql({
      dir: path.join(dir, 'mysql'),
      templates: path.join(dataDir, 'templates'),
      superuser: true,
      dieWithParent: true,
    });
    atTeardown(() => mysql.stop());
    return mysql.settings;
  }
  const server = {
    host: TEST_DB_HOST,
    port: Number(TEST_DB_PORT ?? 3306),
    user: TEST_DB_USER ?? 'root',
    password: TEST_DB_PASS ?? '',
  };
  if (TEST_DB_NAME) return { ...server, database: TEST_DB_NAME };
  const database = `shop_test_${randomUUID().slice(0, 8)}`;
  const run = (statement: string) => withConnection(server, 60_000, (connection) => connection.query(statement));
  try {
    await run(`CREATE DATABASE ${database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  } catch (error) {
    throw new Error(
      `The tests create their own database on ${server.host}:${server.port}, but: ${messageOf(error)}. Set TEST_DB_USER to a user who can create databases, or TEST_DB_NAME to an empty database.`,
    );
  }
  atTeardown(() => run(`DROP DATABASE ${database}`));
  return { ...server, database };
}
