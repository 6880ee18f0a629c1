// replaces: 529d4aeae3c0d5b7a5710b9a7554eb47eca266243e26432c2d440b1012a33350
// replaces: ff66e0e8757a59e76feb8e80f61e3d514b0bb6c2267c493d0b0cad3e9b155aac

const { foldText, wordColumn } = require('@shop/core/text');

/** Also at each later run: a release before these columns, or a person, may have added rows since. */
exports.everyRun = true;

/** For each table, the column that is NULL until the row is filled, and what to fill in. */
const fills = [
  ['users', 'name_folded', ({ name }) => ({ name_folded: foldText(name) })],
  ['stores', 'name_folded', ({ name }) => ({ name_folded: foldText(name) })],
  [
    'products',
    'description_words',
    ({ name, description }) => ({
      name_folded: foldText(name),
      name_words: wordColumn(name),
      description_words: wordColumn(description),
    }),
  ],
  [
    'addresses',
    'postal_code_folded',
    ({ label, city, postal_code }) => ({
      label_folded: foldText(label),
      city_folded: foldText(city),
      postal_code_folded: foldText(postal_code),
    }),
  ],
];

const BATCH = 500;

exports.up = async function fillSearchColumns(connection, log) {
  for (const [table, marker, fill] of fills) await fillTable(connection, table, marker, fill);
  await foldCategoryNames(connection, log);
};

/** In small database transactions, so that a running shop is not blocked. */
async function fillTable(connection, table, marker, fill) {
  for (let last = 0; ; ) {
    const [batch] = await connection.query(
      `SELECT id FROM ${table} WHERE id > ? AND ${marker} IS NULL ORDER BY id LIMIT ${BATCH}`,
      [last],
    );
    if (batch.length === 0) return;
    const ids = batch.map(({ id }) => id);
    await connection.query('START TRANSACTION');
    // Locks the rows, so that no service changes a text between reading and folding it.
    const [rows] = await connection.query(
      `SELECT * FROM ${table} WHERE id IN (?) AND ${marker} IS NULL ORDER BY id FOR UPDATE`,
      [ids],
    );
    await updateAll(
      connection,
      table,
      rows.map((row) => ({ id: row.id, ...fill(row) })),
    );
    await connection.query('COMMIT');
    last = ids.at(-1);
  }
}

/** One statement for all rows: with one for each, a million products take several times as long. */
async function updateAll(connection, table, rows) {
  if (rows.length === 0) return;
  const columns = Object.keys(rows[0]).filter((column) => column !== 'id');
  const types = columns.map((column) => `${column} MEDIUMTEXT CHARACTER SET utf8mb4 PATH '$.${column}'`);
  await connection.query(
    `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT UNSIGNED PATH '$.id', ${types.join(', ')})) filled
     STRAIGHT_JOIN ${table} t ON t.id = filled.id
     SET ${columns.map((column) => `t.${column} = filled.${column}`).join(', ')}`,
    [JSON.stringify(rows)],
  );
}

/** Two existing names may be equal by the current rule. The second one keeps its old key. */
async function foldCategoryNames(connection, log) {
  const [rows] = await connection.query('SELECT id, name, name_key FROM categories ORDER BY id');
  for (const { id, name, name_key } of rows) {
    if (name_key === foldText(name)) continue;
    try {
      await connection.query('UPDATE categories SET name_key = ? WHERE id = ?', [foldText(name), id]);
    } catch (error) {
      if (error.code !== 'ER_DUP_ENTRY') throw error;
      log(`category ${id} "${name}" has the same name as another one: rename or delete one of them`);
    }
  }
}
