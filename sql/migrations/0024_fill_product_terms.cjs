const { partTerms, wordTerms } = require('@shop/core/text');

/** Also at each later run: the release before this table, or a person, may have added or changed products since. */
exports.everyRun = true;

const BATCH = 500;
/** Terms in one statement: the server refuses statements larger than max_allowed_packet. */
const CHUNK = 20_000;

/** In small database transactions, so that a running shop is not blocked. 0004 has filled the folded texts. */
exports.up = async function fillProductTerms(connection) {
  for (let last = 0; ; ) {
    const [batch] = await connection.query(
      `SELECT id FROM products WHERE without_terms = 1 AND id > ? ORDER BY id LIMIT ${BATCH}`,
      [last],
    );
    if (batch.length === 0) return;
    const ids = batch.map(({ id }) => id);
    await connection.query('START TRANSACTION');
    // Locks the rows, so that no service changes a text between reading and indexing it.
    const [rows] = await connection.query(
      'SELECT id, name, description FROM products WHERE id IN (?) ORDER BY id FOR UPDATE',
      [ids],
    );
    if (rows.length > 0) await replaceTerms(connection, rows);
    await connection.query('COMMIT');
    last = ids.at(-1);
  }
};

async function replaceTerms(connection, rows) {
  const ids = rows.map(({ id }) => id);
  const terms = rows.flatMap(({ id, name, description }) => [
    ...partTerms(name).map((term) => [id, 'name', term]),
    ...wordTerms(description).map((term) => [id, 'description', term]),
  ]);
  await connection.query('DELETE FROM product_terms WHERE product_id IN (?)', [ids]);
  for (let from = 0; from < terms.length; from += CHUNK) {
    const chunk = terms.slice(from, from + CHUNK);
    await connection.query('INSERT INTO product_terms (product_id, field, term) VALUES ?', [chunk]);
  }
  await connection.query(
    'UPDATE products SET terms_checksum = CRC32(CONCAT(name_folded, description_words)) WHERE id IN (?)',
    [ids],
  );
}
