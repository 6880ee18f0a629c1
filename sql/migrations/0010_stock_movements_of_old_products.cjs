/*
 * Products that are older than the ledger have no stock movements, so `npm run verify:stock` rejects them. Gives each of them an
 * initial movement that explains its stock, and each of their orders that were cancelled before the history of statuses existed
 * a cancellation. Rows that were written with a ledger are not changed: what is wrong with them must stay visible.
 */

const BATCH = 500;

exports.up = async function recordOldStock(connection) {
  for (let last = 0; ; ) {
    const [batch] = await connection.query(
      `SELECT id FROM products p
       WHERE id > ? AND NOT EXISTS (SELECT 1 FROM stock_movements m WHERE m.product_id = p.id AND m.reason = 'initial')
       ORDER BY id LIMIT ${BATCH}`,
      [last],
    );
    if (batch.length === 0) return;
    const ids = batch.map(({ id }) => id);
    await connection.query('START TRANSACTION');
    // Every change of a stock locks its product first, so nothing below changes until the commit.
    await connection.query('SELECT id FROM products WHERE id IN (?) ORDER BY id FOR UPDATE', [ids]);
    await recordCancellations(connection, ids);
    await recordInitialStock(connection, ids);
    await connection.query('COMMIT');
    last = ids.at(-1);
  }
};

async function recordCancellations(connection, ids) {
  const [missing] = await connection.query(
    `SELECT l.product_id, l.transaction_id, SUM(l.quantity) AS quantity
     FROM product_logs l
     JOIN transactions t ON t.id = l.transaction_id
     WHERE l.product_id IN (?) AND t.status = 'cancelled'
       AND NOT EXISTS (SELECT 1 FROM transaction_status_changes c WHERE c.transaction_id = t.id)
       AND NOT EXISTS (SELECT 1 FROM stock_movements m WHERE m.transaction_id = t.id AND m.product_id = l.product_id)
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
