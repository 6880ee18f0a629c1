import { readdirSync } from 'node:fs';
import { migrate, readMigrations } from '@shop/migrations';
import { migrationsFolder } from '@shop/shop';
import {
  aBareDatabase,
  aDatabase,
  type BareDatabase,
  closeDatabases,
  dropBareDatabases,
  tablesOf,
} from '@shop/testing';
import { verifyStock } from '../services/transaction/src/ledger/verify-stock';

afterEach(async () => {
  await closeDatabases();
  await dropBareDatabases();
});

const allMigrations = () => readMigrations(migrationsFolder);
const folder = 'tests/support/schemas';
const migrated = async (database: BareDatabase, log?: (line: string) => void) =>
  migrate(database.connection, await allMigrations(), log ? { log } : {});

async function currentTables() {
  const database = await aBareDatabase();
  await database.load('sql/schema.sql');
  return await tablesOf(database);
}

const RECORDED = 'SELECT name, checksum FROM schema_migrations ORDER BY name';

describe('sql/schema.sql', () => {
  test('makes the same tables as all migrations, and records them as applied', async () => {
    const [fromMigrations, fromSchema] = [await aBareDatabase(), await aBareDatabase()];
    const names = await migrated(fromMigrations);
    expect(names).toEqual((await allMigrations()).map(({ name }) => name));
    await fromSchema.load('sql/schema.sql');
    expect(await tablesOf(fromSchema)).toEqual(await tablesOf(fromMigrations));
    // If this fails, the rows at the end of sql/schema.sql must become the received ones.
    expect(await fromSchema.rows(RECORDED)).toEqual(await fromMigrations.rows(RECORDED));
    expect(await migrated(fromSchema)).toEqual([]);
  });

  test('can be loaded again, with the same result', async () => {
    const database = await aBareDatabase();
    await database.load('sql/schema.sql');
    const before = [await tablesOf(database), await database.rows(RECORDED)];
    await database.load('sql/schema.sql');
    expect([await tablesOf(database), await database.rows(RECORDED)]).toEqual(before);
  });

  test('never records on an older database what was not applied', async () => {
    const database = await aBareDatabase();
    await database.load(`${folder}/1-first.sql`);
    await database.load('sql/schema.sql');
    expect(await database.rows(RECORDED)).toEqual([]);
    await migrated(database);
    expect(await tablesOf(database)).toEqual(await currentTables());
  });
});

const byTerm = (a: { term: string }, b: { term: string }) => (a.term < b.term ? -1 : 1);

/** What a shop of the first version has, with a category name that is folded differently today. */
const firstRows = `
  INSERT INTO users (id, name, email) VALUES (7, 'Zoë', 'zoe@example.com'), (8, 'Buyer', 'buyer@example.com');
  INSERT INTO stores (id, user_id, name) VALUES (7, 7, 'WEIẞBROT');
  INSERT INTO categories (id, name, name_key) VALUES (1, 'Süßes', 'süßes'), (2, 'Café', 'café'), (3, 'Cafe\u0301', 'cafe\u0301');
  INSERT INTO products (id, store_id, category_id, name, description, price, stock) VALUES
    (1, 7, 1, 'ΉΛΙΟΣ', 'Γη, Σελήνη', 2.50, 2147483647), (2, 7, NULL, 'Mug', '', 1.00, 0), (3, 7, 2, 'Cup', '', 4.00, 5);
  INSERT INTO addresses (id, user_id, label, address, city, postal_code) VALUES (4, 8, 'Home', 'x', 'ÜRÜMQI', 'A1');
  INSERT INTO transactions (id, user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total, status)
    VALUES (11, 8, 7, 4, 'Home', 'x', 'ÜRÜMQI', 'A1', 6.00, 'pending'), (12, 8, 7, NULL, '', 'x', '', '', 2.00, 'cancelled');
  INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity) VALUES
    (11, 1, 'ΉΛΙΟΣ', 2.50, 2), (11, 2, 'Mug', 1.00, 1), (12, 2, 'Mug', 1.00, 2);
  INSERT INTO files (id, user_id, stored_name, original_name, content_type, size_bytes) VALUES (5, 7, 'a.png', 'ä.png', 'image/png', 9)`;

/** With the ledger: product 3 was added by a service that records its stock. */
const ledgerRows = `
  INSERT INTO stock_movements (product_id, reason, quantity) VALUES (3, 'initial', 6);
  INSERT INTO transactions (id, user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total, status)
    VALUES (21, 8, 7, '', 'x', '', '', 4.00, 'paid'), (22, 8, 7, '', 'x', '', '', 8.00, 'cancelled');
  INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity) VALUES
    (21, 3, 'Cup', 4.00, 1), (22, 3, 'Cup', 4.00, 2);
  INSERT INTO stock_movements (product_id, transaction_id, reason, quantity) VALUES (3, 22, 'cancellation', 2);
  INSERT INTO transaction_status_changes (transaction_id, from_status, to_status, changed_by) VALUES
    (21, 'pending', 'paid', 7), (22, 'pending', 'cancelled', NULL);
  INSERT INTO idempotency_keys (user_id, route, idempotency_key, request_hash, transaction_id) VALUES
    (8, 'POST /api/v1/transactions', 'key', REPEAT('0', 64), 21)`;

const first = `${folder}/1-first.sql`;
const newest = `${folder}/7-cache-generation.sql`;
const laterSchemas = readdirSync(folder).filter((file) => /^[2-9]/.test(file));

const upgrades: [from: string, files: string[], withLedger: boolean][] = [
  ['the first schema', [first], false],
  ['the first schema, after db:apply of 0.2.0', [first, newest, `${folder}/1-after-db-apply-of-0.2.0.sql`], false],
  ...laterSchemas.map((file): [string, string[], boolean] => [file, [`${folder}/${file}`], true]),
];

async function dataOf({ rows }: BareDatabase): Promise<Map<string, Record<string, unknown>[]>> {
  const data = new Map<string, Record<string, unknown>[]>();
  for (const row of await rows('SHOW TABLES')) {
    const table = String(Object.values(row)[0]);
    data.set(table, await rows(`SELECT * FROM ${table} ORDER BY 1`));
  }
  return data;
}

describe('a database of an earlier version', () => {
  test.each(upgrades)(
    '(%s) gets the tables of today, keeps its rows, and its stock adds up',
    async (_, files, ledger) => {
      const database = await aBareDatabase();
      for (const file of files) await database.load(file);
      await database.connection.query(firstRows);
      if (ledger) await database.connection.query(ledgerRows);
      const before = await dataOf(database);

      const lines: string[] = [];
      await migrated(database, (line) => lines.push(line));
      await migrated(database);

      expect(await tablesOf(database)).toEqual(await currentTables());
      expect(lines.filter((line) => line.startsWith('category'))).toEqual([
        'category 3 "Cafe\u0301" has the same name as another one: rename or delete one of them',
      ]);
      const after = await dataOf(database);
      for (const [table, rows] of before) {
        const kept = rows.map((row) => expect.objectContaining(withoutFolded(row)));
        expect([table, after.get(table)]).toEqual([table, expect.arrayContaining(kept)]);
        if (table !== 'stock_movements') expect([table, after.get(table)?.length]).toEqual([table, rows.length]);
      }
      expect(await database.rows('SELECT name_folded FROM users WHERE id = 7')).toEqual([{ name_folded: 'zoë' }]);
      expect(await database.rows('SELECT name_folded FROM stores')).toEqual([{ name_folded: 'weissbrot' }]);
      expect(await database.rows('SELECT name_key FROM categories ORDER BY id')).toEqual(
        ['süsses', 'café', 'cafe\u0301'].map((name_key) => ({ name_key })),
      );
      expect(await database.rows('SELECT name_words, description_words FROM products WHERE id = 1')).toEqual([
        { name_words: ' ήλιοσ', description_words: ' γη σελήνη' },
      ]);
      expect(await database.rows('SELECT label_folded, city_folded, postal_code_folded FROM addresses')).toEqual([
        { label_folded: 'home', city_folded: 'ürümqi', postal_code_folded: 'a1' },
      ]);

      const { db } = aDatabase({ DB_NAME: database.name });
      const report = await verifyStock(db);
      expect(report).toMatchObject({ products: 3, mismatches: [], restockFaults: [], totalFaults: [] });
      // A cancellation gives the units back, which an INT could not hold.
      await database.connection.query('UPDATE products SET stock = stock + 2 WHERE id = 1');
    },
  );

  /** Filled from the other columns, or computed by today's rule. */
  function withoutFolded(row: Record<string, unknown>) {
    return Object.fromEntries(Object.entries(row).filter(([name]) => !/_(folded|words|key)$/.test(name)));
  }

  test('with more rows than one batch gets all of them filled, and those that an old service adds later', async () => {
    const database = await aBareDatabase();
    await database.load(first);
    await database.connection.query(firstRows);
    const more = Array.from({ length: 1200 }, (_, index) => [7, `ΉΛΙΟΣ ${index}`, '', '1.00', index]);
    const insert = 'INSERT INTO products (store_id, name, description, price, stock) VALUES ?';
    await database.connection.query(insert, [more]);
    await migrated(database);
    const unfilled = () => database.rows('SELECT id FROM products WHERE name_folded IS NULL OR name_words IS NULL');
    expect(await unfilled()).toEqual([]);
    const { db } = aDatabase({ DB_NAME: database.name });
    expect(await verifyStock(db)).toMatchObject({ products: 1203, mismatches: [] });

    await database.connection.query(insert, [more.slice(0, 1)]);
    expect(await unfilled()).toHaveLength(1);
    expect(await migrated(database)).toEqual([]);
    expect(await unfilled()).toEqual([]);
  });

  test('gets the terms of all products, also of those that an old service adds or changes later', async () => {
    const database = await aBareDatabase();
    await database.load(first);
    await database.connection.query(firstRows);
    await migrated(database);
    const termsOf = (id: number) =>
      database.rows('SELECT field, term FROM product_terms WHERE product_id = ? ORDER BY field, term', [id]);
    expect(await termsOf(1)).toEqual([
      ...['ήλιοσ', 'λιοσ', 'ιοσ', 'οσ', 'σ'].map((term) => ({ field: 'name', term })).sort(byTerm),
      { field: 'description', term: 'γη' },
      { field: 'description', term: 'σελήνη' },
    ]);

    await database.connection.query(
      `UPDATE products SET name = 'Ox', name_folded = 'ox', name_words = ' ox' WHERE id = 2;
       INSERT INTO products (id, store_id, name, description, price) VALUES (99, 7, 'Ax', '', 1)`,
    );
    await migrated(database);
    expect(await termsOf(2)).toEqual(['ox', 'x'].map((term) => ({ field: 'name', term })));
    expect(await termsOf(99)).toEqual(['ax', 'x'].map((term) => ({ field: 'name', term })));
    expect(await database.rows('SELECT id FROM products WHERE without_terms = 1')).toEqual([]);
  });

  test('keeps a stock that does not add up, if the ledger has recorded the product', async () => {
    const database = await aBareDatabase();
    await database.load(`${folder}/2-stock-ledger.sql`);
    await database.connection.query(`${firstRows};${ledgerRows}`);
    await database.connection.query('UPDATE products SET stock = 99 WHERE id = 3');
    await migrated(database);
    const { db } = aDatabase({ DB_NAME: database.name });
    expect((await verifyStock(db)).mismatches).toEqual([expect.objectContaining({ productId: 3, stock: 99n })]);
  });
});

test.each([
  'MODIFY stock INT NOT NULL DEFAULT 0, ALGORITHM=INSTANT',
  'ADD CONSTRAINT products_stock_low CHECK (stock < 1000), ALGORITHM=INPLACE, LOCK=NONE',
])('the server refuses a change that copies the table without saying so: %s', async (change) => {
  const database = await aBareDatabase();
  await database.load('sql/schema.sql');
  await expect(database.connection.query(`ALTER TABLE products ${change}`)).rejects.toMatchObject({
    code: expect.stringMatching(/^ER_ALTER_OPERATION_NOT_SUPPORTED/),
  });
});
