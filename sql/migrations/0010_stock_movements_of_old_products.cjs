// replaces: b9a545afa4c972a2fb33192ecdfa478cf7e3fccab1ed40001ff52d3615bfca91
// replaces: 6228d827f023768ef65bc1ffcaf08ea34750a0e7afe96463f1dc45db33b49c90

/*
 * Products that are older than the ledger have no stock movements, so `npm run verify:stock` rejects them. Gives each of them an
 * initial movement that explains its stock, and each of their orders that were cancelled before the history of statuses existed
 * a cancellation. Rows that were written with a ledger are not changed: what is wrong with them must stay visible.
 */

const BATCH = 500;

exports.up = async function recordOldStock(connection) {
  for (let last = 0; ; ) {
    const [batch] = await connection.query(`SELECT id FROM products WHERE id > ? ORDER BY id LIMIT ${BATCH}`, [last]);
    if (batch.length === 0) return;
    last = batch.at(-1).id;
    const ids = await withoutLedger(
      connection,
      batch.map(({ id }) => id),
    );
    if (ids.length === 0) continue;
    await connection.query('START TRANSACTION');
    // Every change of a stock locks its product first, so nothing below changes until the commit.
    await connection.query('SELECT id FROM products WHERE id IN (?) ORDER BY id FOR UPDATE', [ids]);
    await recordCancellations(connection, ids);
    await recordInitialStock(connection, ids);
    await connection.query('COMMIT');
  }
};

/** Not by NOT EXISTS in the query for the batch: MariaDB would read the whole ledger for each batch. */
async function withoutLedger(connection, ids) {
  const [recorded] = await connection.query(
    "SELECT product_id FROM stock_movements WHERE product_id IN (?) AND reason = 'initial'",
    [ids],
  );
  const known = new Set(recorded.map(({ product_id }) => product_id));
  return ids.filter((id) => !known.has(id));
}

async function recordCancellations(connection, ids) {
  const [missing] = await connection.query(
    `SELECT l.product_id, l.transaction_id, SUM(l.quantity) AS quantity
     FROM product_logs l
     STRAIGHT_JOIN transactions t ON t.id = l.transaction_id
     LEFT JOIN transaction_status_changes c ON c.transaction_id = t.id
     LEFT JOIN stock_movements m ON m.transaction_id = t.id AND m.product_id = l.product_id
     WHERE l.product_id IN (?) AND t.status = 'cancelled' AND c.id IS NULL AND m.id IS NULL
     GROUP BY l.product_id, l.transaction_id`,
    [ids],
  );
  const rows = missing.map(({ product_id, transaction_id, quantity }) => [
    product_id,
    transaction_id,
    'cancellation',
    quantity,
  ]);
  if (rows.length > 0) {
    await connection.query('INSERT INTO stock_movements (product_id, transaction_id, reason, quantity) VALUES ?', [
      rows,
    ]);
  }
}

async function recordInitialStock(connection, ids) {
  const [products] = await connection.query(
    `SELECT id,
            stock + (SELECT COALESCE(SUM(quantity), 0) FROM product_logs WHERE product_id = p.id)
                  - (SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE product_id = p.id) AS quantity
     FROM products p WHERE id IN (?)`,
    [ids],
  );
  await connection.query('INSERT INTO stock_movements (product_id, reason, quantity) VALUES ?', [
    products.map(({ id, quantity }) => [id, 'initial', quantity]),
  ]);
}
