import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const { createPool } = createRequire(new URL('../../packages/core/package.json', import.meta.url))('mysql2/promise');
const { applySchema, startMysql } = createRequire(import.meta.url)('@shop/test-servers');

/**
 * A new, empty database on the server in TEST_DB_HOST or otherwise on a private one. `drop` removes the database and the private
 * server.
 */
export async function createEmptyDatabase({ connections = 2, ...options } = {}) {
  const { settings: server, stop } = process.env.TEST_DB_HOST ? givenServer() : await privateServer(options);
  const settings = { ...server, database: `shop_bench_${randomUUID().slice(0, 8)}` };
  const outside = createPool({ ...server, connectionLimit: 1 });
  await outside.query(`CREATE DATABASE ${settings.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  const pool = createPool({ ...settings, timezone: 'Z', connectionLimit: connections, multipleStatements: true });
  return {
    settings,
    query: (statement, values) => pool.query(statement, values),
    connect: () => pool.getConnection(),
    async transaction(work) {
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        await work(connection);
        await connection.commit();
      } catch (error) {
        await connection.rollback();
        throw error;
      } finally {
        connection.release();
      }
    },
    async drop() {
      // Destroys the connections that were not released.
      pool.end().catch(() => undefined);
      await outside.query(`DROP DATABASE ${settings.database}`);
      await outside.end();
      await stop();
    },
  };
}

/** The same with the schema and the development data. */
export async function createShopDatabase(options) {
  const database = await createEmptyDatabase(options);
  await applySchema(database.settings);
  return database;
}

function givenServer() {
  const { TEST_DB_HOST, TEST_DB_PORT = '3306', TEST_DB_USER = 'root', TEST_DB_PASS = '' } = process.env;
  const settings = { host: TEST_DB_HOST, port: Number(TEST_DB_PORT), user: TEST_DB_USER, password: TEST_DB_PASS };
  return { settings, stop: async () => undefined };
}

async function privateServer(options) {
  const dir = await mkdtemp(path.join(tmpdir(), 'shop-bench-'));
  const mysql = await startMysql({ ...options, dir, superuser: true, dieWithParent: true });
  const { host, port, user, password } = mysql.settings;
  return {
    settings: { host, port, user, password },
    async stop() {
      await mysql.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
