/**
 * A checkout of one item through the service, compared with the same statements directly through mysql2, with a pool of the
 * same size on the same database. Fails below 0.6 of the reference's orders per second.
 */
import { createRequire } from 'node:module';
import { sideBySide } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';
import { ADMIN, CLIENTS, workloads } from '../support/workloads.mjs';

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

export async function run([seconds = '3', rounds = '5']) {
  const { checkout } = workloads;
  const shop = await startService(checkout.service, checkout.settings);
  const pool = createPool({ ...shop.database, connectionLimit: CLIENTS });
  try {
    const prepared = await checkout.prepare(shop);
    const result = await sideBySide(
      () => checkout.run(prepared, Number(seconds)),
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

/** The reference: only the statements, each client its own product. @returns orders per second */
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
