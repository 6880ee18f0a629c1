/**
 * A checkout of one item through the service, compared with the same statements directly through mysql2, with a pool of the
 * same size on the same database. Fails below 0.6 of the reference's orders per second.
 */
import { createRequire } from 'node:module';
import { requestsPerSecond, sideBySide } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const require = createRequire(import.meta.url);
const { createPool } = createRequire(new URL('../../packages/core/package.json', import.meta.url))('mysql2/promise');
const { decodeRows } = require('../../packages/core/dist/db/statement.js');
const {
  insertOrder,
  insertOrderLines,
  lockProducts,
  takeStock,
} = require('../../services/transaction/dist/orders/checkout.sql.js');

const AT_LEAST = 0.6;
const CLIENTS = 50;
/** One connection per client. With fewer, waiting for a connection would be measured too, and slowness would count twice. */
const CONNECTIONS = CLIENTS;
const ADMIN = 1;

export async function run([seconds = '3', rounds = '5']) {
  const shop = await startService('transaction', { DB_POOL_SIZE: String(CONNECTIONS) });
  const pool = createPool({ ...shop.database, connectionLimit: CONNECTIONS });
  try {
    await shop.sql('INSERT INTO addresses (user_id, address) VALUES (?, ?)', [ADMIN, 'Main Street 1']);
    const products = Array.from({ length: CLIENTS }, (_, index) => [1, `Mug ${index}`, '', 12.5, 1_000_000]);
    await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [products]);
    const result = await sideBySide(
      () => throughTheService(shop, Number(seconds)),
      () => straight(pool, Number(seconds)),
      Number(rounds),
    );
    console.log(`POST /transactions, one item:  ${Math.round(result.a)} orders/s`);
    console.log(`the same SQL through mysql2:   ${Math.round(result.b)} orders/s`);
    console.log(
      'round trips of each: 6 (START TRANSACTION, lock the product, insert the transaction with its address,',
    );
    console.log('  insert the log, take the stock, COMMIT); with an Idempotency-Key 2 more (claim it, settle it)');
    console.log(`ratio: ${result.ratio.toFixed(2)} (at least ${AT_LEAST})`);
    return result.ratio >= AT_LEAST ? 0 : 1;
  } finally {
    await pool.end();
    await shop.stop();
  }
}

function throughTheService(shop, seconds) {
  let client = 0;
  return requestsPerSecond({
    url: `${shop.url}/api/v1/transactions`,
    method: 'POST',
    headers: { authorization: `Bearer ${shop.adminToken}`, 'content-type': 'application/json' },
    seconds,
    connections: CLIENTS,
    // Each client buys its own product repeatedly, like the clients of the reference.
    setupClient(connection) {
      client += 1;
      connection.setBody(JSON.stringify({ address_id: 1, items: [{ product_id: client, quantity: 1 }] }));
    },
  });
}

/** The reference: only the statements. @returns orders per second */
async function straight(pool, seconds) {
  const start = performance.now();
  const end = start + seconds * 1000;
  let orders = 0;
  const buyer = async (_, index) => {
    while (performance.now() < end) {
      await order(pool, index + 1);
      orders += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, buyer));
  return (orders * 1000) / (performance.now() - start);
}

async function order(pool, productId) {
  const connection = await pool.getConnection();
  try {
    const sql = bareSql(connection);
    const lines = [{ productId, quantity: 1 }];
    await connection.query('START TRANSACTION');
    const products = await lockProducts(sql, lines);
    const [{ storeId, price }] = products;
    const id = await insertOrder(sql, { buyerId: ADMIN, storeId, addressId: 1, total: price });
    await insertOrderLines(sql, id, lines, products);
    await takeStock(sql, lines);
    await connection.query('COMMIT');
  } finally {
    connection.release();
  }
}

/** The service's own statements on a bare connection, so that the SQL is the same. */
function bareSql(connection) {
  const write = async (statement, given) => {
    const { text, values } = statement.bind(given);
    return (await connection.execute(text, values))[0];
  };
  return { write, rows: async (statement, given) => decodeRows(statement, await write(statement, given)) };
}
