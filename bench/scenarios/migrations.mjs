/**
 * Migrates a database of the first schema with many products and orders while four writers place orders in it, and prints for each
 * migration how long it took and the longest write meanwhile. The first line is the longest write without a migration.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEmptyDatabase } from '../support/database.mjs';

const require = createRequire(import.meta.url);
const { migrationsFolder } = require('@shop/shop');
const { migrate, readMigrations } = require('@shop/migrations');

const WRITERS = 4;
const CHUNK = 100_000;

export async function run([rows = '1000000']) {
  const database = await createEmptyDatabase({ bufferPoolMiB: 1024, connections: WRITERS + 2 });
  try {
    await fill(database, Number(rows));
    console.log(`${rows} products and ${rows} orders with one line each; ${WRITERS} writers\n`);
    console.log('migration                                             seconds    writes  longest (ms)  failed');
    await measured('(none)', database, Number(rows), () => sleep(10_000));
    const connection = await database.connect();
    const migrations = await readMigrations(migrationsFolder);
    for (const [index, { name }] of migrations.entries()) {
      await measured(name, database, Number(rows), () => migrate(connection, migrations.slice(0, index + 1)));
    }
    await measured('(once more: nothing to apply)', database, Number(rows), () => migrate(connection, migrations));
  } finally {
    await database.drop();
  }
}

async function fill(database, rows) {
  const schema = new URL('../../tests/support/schemas/1-first.sql', import.meta.url);
  await database.query(await readFile(schema, 'utf8'));
  await database.query(`INSERT INTO users (id, name, email) VALUES (1, 'Ann', 'ann@example.com');
    INSERT INTO stores (id, user_id, name) VALUES (1, 1, 'Ann''s')`);
  const digits =
    '(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)';
  const number = '1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d';
  const numbers = `(SELECT ${number} AS n FROM ${['a', 'b', 'c', 'd', 'e'].map((name) => `${digits} ${name}`).join(', ')}) numbers`;
  for (let start = 0; start < rows; start += CHUNK) {
    const from = `FROM ${numbers} WHERE n <= ${Math.min(CHUNK, rows - start)}`;
    await database.query(`
      INSERT INTO products (id, store_id, name, description, price, stock)
        SELECT ${start} + n, 1, CONCAT('Product ', ${start} + n), 'A mug, blue, for coffee and tea', 9.90, 1000 ${from};
      INSERT INTO transactions (id, user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total)
        SELECT ${start} + n, 1, 1, 'Home', '1 Main Street', 'Paris', '75001', 9.90 ${from};
      INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity)
        SELECT ${start} + n, ${start} + n, 'Product', 9.90, 1 ${from}`);
  }
}

/** Runs `work` beside the writers and prints a line of the table. */
async function measured(title, database, rows, work) {
  let isDone = false;
  const results = { writes: 0, longest: 0, failed: 0 };
  const writers = Array.from({ length: WRITERS }, async () => {
    while (!isDone) {
      const start = performance.now();
      const product = 1 + Math.floor(Math.random() * rows);
      const isPlaced = (await placeOrder(database, product)) || (await placeOrder(database, product));
      if (!isPlaced) results.failed += 1;
      results.writes += 1;
      results.longest = Math.max(results.longest, performance.now() - start);
    }
  });
  const start = performance.now();
  try {
    await work();
  } finally {
    isDone = true;
  }
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(writers);
  console.log(
    title.padEnd(52) +
      seconds.toFixed(1).padStart(9) +
      String(results.writes).padStart(10) +
      results.longest.toFixed(0).padStart(14) +
      String(results.failed).padStart(8),
  );
}

/** What the first release did for an order. It tried again after a deadlock. */
async function placeOrder(database, product) {
  const insert = database.transaction(async (connection) => {
    await connection.query('UPDATE products SET stock = stock - 1 WHERE id = ? AND stock >= 1', [product]);
    const [{ insertId }] = await connection.query(
      `INSERT INTO transactions (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total)
       VALUES (1, 1, 'Home', '1 Main Street', 'Paris', '75001', 9.90)`,
    );
    await connection.query(
      `INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity)
       VALUES (?, ?, 'Product', 9.90, 1)`,
      [insertId, product],
    );
  });
  return await insert.then(
    () => true,
    () => false,
  );
}
