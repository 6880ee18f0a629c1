import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { authService } from '@shop/auth';
import { productService } from '@shop/product';
import { applySchema, applySql, type DatabaseSettings, withConnection } from '@shop/test-servers';
import { eventually, startApp, testEnv, write } from '@shop/testing';
import type { RowDataPacket } from 'mysql2';

const database = `shop_upgrade_${randomUUID().slice(0, 8)}`;
const create = () => write(`CREATE DATABASE ${database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
const drop = () => write(`DROP DATABASE ${database}`);
let settings: DatabaseSettings;

beforeAll(async () => {
  const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASS = '' } = testEnv();
  settings = { host: DB_HOST, port: Number(DB_PORT), user: DB_USER, password: DB_PASS, database };
  await create();
});
afterAll(drop);

async function query(statement: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  return withConnection(settings, 60_000, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>(statement, values);
    return rows;
  });
}

const EARLIER_SCHEMA = path.join(__dirname, 'support/schema-0.1.0.sql');

const layout = () =>
  query(
    `SELECT CONCAT_WS(' ', table_name, ordinal_position, column_name, column_type, collation_name, is_nullable) AS part
     FROM information_schema.columns WHERE table_schema = DATABASE()
     UNION ALL
     SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name) FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND index_name <> 'stores_user' AND index_name <> 'products_category'
     UNION ALL
     SELECT CONCAT_WS(' ', table_name, constraint_name, delete_rule) FROM information_schema.referential_constraints
     WHERE constraint_schema = DATABASE()
     ORDER BY 1`,
  );

test('a database of the first release gets columns, indexes and folded texts, with two starters at once', async () => {
  await applySql(settings, [EARLIER_SCHEMA]);
  await query("INSERT INTO users (id, name, email) VALUES (7, 'Zoë', 'zoe@example.com')");
  await query("INSERT INTO stores (id, user_id, name) VALUES (7, 7, 'WEIẞBROT')");
  await query('INSERT INTO categories (name, name_key) VALUES (?, ?), (?, ?), (?, ?)', [
    ...['Süßes', 'süßes'],
    ...['Café', 'café'],
    ...['Cafe\u0301', 'cafe\u0301'],
  ]);
  const products = Array.from({ length: 1200 }, (_, index) => [7, `ΉΛΙΟΣ ${index}`, 'Γη, Σελήνη', '1.00']);
  await query('INSERT INTO products (store_id, name, description, price) VALUES ?', [products]);
  await query("INSERT INTO addresses (user_id, address, city, postal_code) VALUES (7, 'x', 'ÜRÜMQI', 'A1')");

  const env = { DB_NAME: database };
  const apps = await Promise.all([startApp(productService, env), startApp(authService, env)]);
  for (const app of apps) expect((await app.http.get('/ready').expect(503)).body.code).toBe('schema_missing');

  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  await Promise.all([applySchema(settings, { log }), applySchema(settings, { log })]);
  expect(new Set(lines)).toEqual(new Set([expect.stringMatching(/^category \d+ "Cafe\u0301" has the same name/)]));

  for (const app of apps) {
    await eventually('a ready service', async () => (await app.http.get('/ready')).status === 200);
  }
  const found = await apps[0].http.get('/api/v1/catalog/products').query({ search: 'ήλιος 1199 ΓΗ', limit: 1 });
  expect(found.body.pagination.total).toBe(1);
  await Promise.all(apps.map((app) => app.close()));

  expect(await query('SELECT name_folded FROM users WHERE id = 7')).toEqual([{ name_folded: 'zoë' }]);
  expect(await query('SELECT name_folded FROM stores WHERE id = 7')).toEqual([{ name_folded: 'weissbrot' }]);
  expect(await query("SELECT name_key FROM categories WHERE name = 'Süßes'")).toEqual([{ name_key: 'süsses' }]);
  expect(await query('SELECT COUNT(*) AS unfilled FROM products WHERE description_words IS NULL')).toEqual([
    { unfilled: 0 },
  ]);
  expect(await query('SELECT label_folded, city_folded, postal_code_folded FROM addresses')).toEqual([
    { label_folded: '', city_folded: 'ürümqi', postal_code_folded: 'a1' },
  ]);

  const upgraded = await layout();
  await drop();
  await create();
  await applySchema(settings);
  expect(upgraded).toEqual(await layout());
});
