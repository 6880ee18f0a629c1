/**
 * Checkouts through the service, compared with the statements of a plain implementation directly through mysql2, with a pool of the
 * same size on the same database, alternately in one run. `npm run bench -- checkout [ROUNDS] [ORDERS] [HOW MANY OF THE BASKETS]`
 */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { CPU_SHARE, figure, markdownTable } from '../support/figures.mjs';
import { cpuMs, inTurns, mebibytes, medianRatio, medians } from '../support/load.mjs';
import { BUYER, placeOrders, prepareOrders } from '../support/orders.mjs';
import { startService } from '../support/shop.mjs';

const { createPool } = createRequire(new URL('../../packages/core/package.json', import.meta.url))('mysql2/promise');

const AT_LEAST = 0.8;
const CLIENTS = 50;
/** `share` is that of the orders, because large ones take longer. */
const BASKETS = [
  { name: '1 product', size: 1, share: 1 },
  { name: '1 product, with a key', size: 1, share: 1, withKey: true },
  { name: '5 products', size: 5, share: 1 / 2 },
  { name: '100 products', size: 100, share: 1 / 10 },
];

export async function run([rounds = '5', orders = '3000', baskets = String(BASKETS.length)]) {
  // A connection for each client. With fewer, waiting for a connection would be measured too.
  const shop = await startService('transaction', { DB_POOL_SIZE: String(CLIENTS) });
  const pool = createPool({ ...shop.database, connectionLimit: CLIENTS });
  try {
    const chosen = BASKETS.slice(0, Number(baskets));
    const ids = await prepareOrders(shop, CLIENTS * Math.max(...chosen.map(({ size }) => size)));
    const figures = [];
    const rows = [];
    for (const { name, size, share, withKey } of chosen) {
      // Each client orders products of its own, so that none waits for a lock.
      const productsOf = (client) => ids.slice(client * size, (client + 1) * size);
      const load = {
        clients: CLIENTS,
        amount: Math.max(CLIENTS, Math.ceil(Number(orders) * share)),
        productsOf,
        withKey,
      };
      const sides = [() => placeOrders(shop, load), () => placePlainly(pool, shop.pids.database, load)];
      const [ours, plain] = await inTurns(sides, Number(rounds));
      const rate = medianRatio(ours, plain, (round) => round.rate);
      const service = medianRatio(plain, ours, (round) => round.service);
      const database = medianRatio(plain, ours, (round) => round.database);
      figures.push(
        figure(`checkout of ${name}: orders/s, as a share of plain SQL`, rate, 'share', { atLeast: AT_LEAST }),
        figure(`checkout of ${name}: CPU of plain mysql2, as a share of the service`, service, CPU_SHARE),
        figure(`checkout of ${name}: CPU of the database by plain SQL, as a share of ours`, database, CPU_SHARE),
      );
      rows.push(row(`${name}: the service`, medians(ours), await mebibytes(shop.pid)));
      rows.push(row(`${name}: plain SQL`, medians(plain)));
    }
    const head = ['', 'CPU, ms per order', 'of the database', 'of Redis', 'p99, ms', 'orders/s', 'memory, MiB'];
    const note =
      'Plain SQL takes 6 round trips: START TRANSACTION, lock the products, insert the transaction with its address, insert the lines, take the stock, COMMIT; with a key 2 more.';
    return { figures, details: `${note}\n\n${markdownTable(head, rows)}` };
  } finally {
    await pool.end();
    await shop.stop();
  }
}

const row = (title, { service, database, redis, p99, rate }, memory) => [
  title,
  service,
  database,
  redis,
  p99,
  rate,
  memory,
];

/** The reference. `service` is the CPU time of this process. */
async function placePlainly(pool, databasePid, { clients, amount, productsOf, withKey }) {
  const cpu = () => Promise.all([process.pid, databasePid].map(cpuMs));
  const before = await cpu();
  const start = performance.now();
  const times = [];
  let left = amount;
  const buyer = async (_, client) => {
    const ids = productsOf(client);
    while (left > 0) {
      left -= 1;
      const from = performance.now();
      await order(pool, ids, withKey ? randomUUID() : undefined);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: clients }, buyer));
  const seconds = (performance.now() - start) / 1000;
  const [service, database] = (await cpu()).map((ms, index) => (ms - before[index]) / amount);
  const p99 = times.sort((a, b) => a - b)[Math.floor(amount * 0.99)];
  return { rate: amount / seconds, p99, service, database };
}

const marks = (count) => Array(count).fill('?').join(', ');

const CLAIM = `INSERT INTO idempotency_keys (user_id, route, idempotency_key, request_hash) VALUES (?, 'bench', ?, REPEAT('0', 64))
  ON DUPLICATE KEY UPDATE replays = replays + 1`;
const LOCK = (
  count,
) => `SELECT p.id, p.store_id AS storeId, (SELECT s.user_id FROM stores s WHERE s.id = p.store_id) AS ownerId,
    p.name, p.price, p.stock
  FROM products p FORCE INDEX (PRIMARY) WHERE p.id IN (${marks(count)}) ORDER BY p.id FOR UPDATE`;
const INSERT_ORDER = `INSERT INTO transactions
    (user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total)
  SELECT user_id, ?, id, label, address, city, postal_code, ? FROM addresses WHERE id = ? AND user_id = ?`;
const INSERT_LINES = `INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity)
  SELECT ?, line.id, line.name, line.price, 1 FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$.id',
    name VARCHAR(255) CHARACTER SET utf8mb4 PATH '$.name', price DECIMAL(12, 2) PATH '$.price')) AS line`;
const TAKE_STOCK = (count) =>
  `UPDATE products FORCE INDEX (PRIMARY) SET stock = stock - 1 WHERE id IN (${marks(count)}) AND stock >= 1`;
const SETTLE = `UPDATE idempotency_keys SET response = ? WHERE user_id = ? AND route = 'bench' AND idempotency_key = ?`;

async function order(pool, ids, key) {
  const connection = await pool.getConnection();
  try {
    await connection.query('START TRANSACTION');
    if (key) await connection.execute(CLAIM, [BUYER, key]);
    const [products] = await connection.execute(LOCK(ids.length), ids);
    const total = products.reduce((sum, { price }) => sum + Number(price), 0);
    const [{ insertId }] = await connection.execute(INSERT_ORDER, [products[0].storeId, total, 1, BUYER]);
    await connection.execute(INSERT_LINES, [insertId, JSON.stringify(products)]);
    await connection.execute(TAKE_STOCK(ids.length), ids);
    if (key) await connection.execute(SETTLE, [JSON.stringify({ id: insertId }), BUYER, key]);
    await connection.query('COMMIT');
  } finally {
    connection.release();
  }
}
