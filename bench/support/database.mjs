import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const { createPool } = createRequire(new URL('../../packages/core/package.json', import.meta.url))('mysql2/promise');
const { applySchema, startMysql } = createRequire(import.meta.url)('@shop/test-servers');

/**
 * A new database with schema and seed data, on the server in TEST_DB_HOST or otherwise on a private one.
 * `drop` removes the database and the private server.
 */
export async function createShopDatabase(options = {}) {
  const { settings: server, stop } = process.env.TEST_DB_HOST ? givenServer() : await privateServer(options);
  const settings = { ...server, database: `shop_bench_${randomUUID().slice(0, 8)}` };
  const pool = createPool({ ...server, timezone: 'Z', connectionLimit: 2 });
  pool.on('connection', (connection) => connection.query("SET time_zone = '+00:00'"));
  await pool.query(`CREATE DATABASE ${settings.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  await applySchema(settings);
  const inside = createPool({ ...settings, timezone: 'Z', connectionLimit: 2 });
  return {
    settings,
    query: (statement, values) => inside.query(statement, values),
    async drop() {
      await inside.end();
      await pool.query(`DROP DATABASE ${settings.database}`);
      await pool.end();
      await stop();
    },
  };
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
