import { foldText, wordColumn } from '@shop/core/text';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { codeOf } from './errors';

/** What a database of an earlier release may lack. sql/schema.sql creates tables but does not alter existing ones. */
interface Additions {
  table: string;
  columns?: Record<string, string>;
  indexes?: Record<string, string>;
  /** Foreign keys that the current schema no longer has. */
  droppedForeignKeys?: string[];
  /** Computes the new columns from the row's other columns. They are NULL until they are filled. */
  fill?: (row: Record<string, string>) => Record<string, string>;
}

const folded = (length: number) => `VARCHAR(${length}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL`;
const NEWEST = 'created_at, id';

const additions: Additions[] = [
  {
    table: 'users',
    columns: {
      name_folded: `${folded(768)} AFTER name`,
      email_verified_at: 'DATETIME(3) NULL AFTER created_at',
    },
    indexes: { users_newest: NEWEST },
    fill: ({ name = '' }) => ({ name_folded: foldText(name) }),
  },
  { table: 'categories', indexes: { categories_newest: NEWEST } },
  {
    table: 'stores',
    columns: { name_folded: `${folded(768)} AFTER name` },
    indexes: { stores_owner_newest: `user_id, ${NEWEST}`, stores_newest: NEWEST },
    fill: ({ name = '' }) => ({ name_folded: foldText(name) }),
  },
  {
    table: 'products',
    columns: {
      name_folded: `${folded(768)} AFTER name`,
      name_words: `${folded(768)} COMMENT 'distinct folded words, a space before each' AFTER name_folded`,
      description_words: 'MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER description',
    },
    indexes: { products_category_newest: `category_id, ${NEWEST}`, products_price: `price, ${NEWEST}` },
    fill: ({ name = '', description = '' }) => ({
      name_folded: foldText(name),
      name_words: wordColumn(name),
      description_words: wordColumn(description),
    }),
  },
  {
    table: 'addresses',
    columns: {
      label_folded: `${folded(300)} AFTER label`,
      city_folded: `${folded(300)} AFTER city`,
      postal_code_folded: `${folded(60)} AFTER postal_code`,
    },
    fill: ({ label = '', city = '', postal_code = '' }) => ({
      label_folded: foldText(label),
      city_folded: foldText(city),
      postal_code_folded: foldText(postal_code),
    }),
  },
  {
    table: 'transactions',
    indexes: { transactions_status: `status, ${NEWEST}`, transactions_total: `total, ${NEWEST}` },
  },
  { table: 'idempotency_keys', droppedForeignKeys: ['idempotency_keys_user'] },
];

/** Adds missing columns and indexes and fills empty columns. Safe to repeat, also after an interruption. */
export async function upgradeSchema(connection: Connection, log: (line: string) => void): Promise<void> {
  for (const addition of additions) {
    await addMissing(connection, addition);
    await fillEmpty(connection, addition);
  }
  await foldCategoryNames(connection, log);
}

async function query(connection: Connection, statement: string, values: unknown[] = []): Promise<RowDataPacket[]> {
  const [rows] = await connection.query<RowDataPacket[]>(statement, values);
  return rows;
}

/** Uses one statement per table, so that a service that sees a column has its indexes too. */
async function addMissing(
  connection: Connection,
  { table, columns = {}, indexes = {}, droppedForeignKeys = [] }: Additions,
): Promise<void> {
  const present = await query(
    connection,
    `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?
     UNION SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ?
     UNION SELECT constraint_name FROM information_schema.referential_constraints
           WHERE constraint_schema = DATABASE() AND table_name = ?`,
    [table, table, table],
  );
  const names = new Set(present.map(({ name }) => name));
  const missing = (all: Record<string, string>) => Object.entries(all).filter(([name]) => !names.has(name));
  const changes = [
    ...missing(columns).map(([name, type]) => `ADD COLUMN ${name} ${type}`),
    ...missing(indexes).map(([name, parts]) => `ADD INDEX ${name} (${parts})`),
    ...droppedForeignKeys.filter((name) => names.has(name)).map((name) => `DROP FOREIGN KEY ${name}`),
  ];
  if (changes.length > 0) await connection.query(`ALTER TABLE ${table} ${changes.join(', ')}`);
}

const BATCH = 500;

/** Works in small batches and short database transactions, so that a running shop is not blocked. */
async function fillEmpty(connection: Connection, { table, columns = {}, fill }: Additions): Promise<void> {
  const [marker] = Object.keys(columns);
  if (!fill || !marker) return;
  for (let last = 0; ; ) {
    const batch = await query(
      connection,
      `SELECT id FROM ${table} WHERE id > ? AND ${marker} IS NULL ORDER BY id LIMIT ${BATCH}`,
      [last],
    );
    const ids = batch.map(({ id }) => id);
    if (ids.length === 0) return;
    await connection.query('START TRANSACTION');
    // Locks the rows, so that no service changes a text between reading and folding it.
    const rows = await query(
      connection,
      `SELECT * FROM ${table} WHERE id IN (?) AND ${marker} IS NULL ORDER BY id FOR UPDATE`,
      [ids],
    );
    for (const row of rows) {
      await connection.query(`UPDATE ${table} SET ? WHERE id = ?`, [fill(row), row.id]);
    }
    await connection.query('COMMIT');
    last = ids.at(-1) ?? last;
  }
}

/** Two existing names may be equal by the current rule. The second one keeps its old key. */
async function foldCategoryNames(connection: Connection, log: (line: string) => void): Promise<void> {
  const rows = await query(connection, 'SELECT id, name, name_key FROM categories ORDER BY id');
  for (const { id, name, name_key } of rows) {
    if (name_key === foldText(name)) continue;
    try {
      await connection.query('UPDATE categories SET name_key = ? WHERE id = ?', [foldText(name), id]);
    } catch (error) {
      if (codeOf(error) !== 'ER_DUP_ENTRY') throw error;
      log(`category ${id} "${name}" has the same name as another one: rename or delete one of them`);
    }
  }
}
