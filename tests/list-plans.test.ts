import { authService } from '@shop/auth';
import type { List, Page as PageOfList, Sql } from '@shop/core/db';
import { productService } from '@shop/product';
import { withConnection } from '@shop/test-servers';
import { aUser, sqlOver, startApp, type TestApp, testEnv, write } from '@shop/testing';
import type { RowDataPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { listUsers } from '../services/auth/src/accounts/accounts.sql';
import { listEvents } from '../services/auth/src/audit/audit.sql';
import type { ProductQuery } from '../services/product/src/products/products.schemas';
import { listProducts } from '../services/product/src/products/products.sql';
import { listStores } from '../services/store/src/stores/stores.sql';
import type { OrderQuery } from '../services/transaction/src/orders/orders.schemas';
import { listOrdersOf } from '../services/transaction/src/orders/orders.sql';
import { aFreshDatabase } from './support/production';

const PRODUCTS = 100_000;
const STORES = 1000;
/** Owners of: stores 1 to 200; store 201; stores 202 to 211; the last store, which is empty. */
const [BIG_SELLER, SELLER, CHAIN, BEGINNER] = [2, 3, 4, 5];
/** Categories with: 30,000 products; exactly 10,000; 40; none. */
const [LARGE, FULL, SMALL, EMPTY] = [1, 2, 3, 4];

let database: string;
let connection: { settings: Parameters<typeof withConnection>[0] };

beforeAll(async () => {
  database = await aFreshDatabase();
  const { DB_HOST = '', DB_PORT, DB_USER = '', DB_PASS = '' } = testEnv();
  connection = { settings: { host: DB_HOST, port: Number(DB_PORT), user: DB_USER, password: DB_PASS, database } };
  await withConnection(connection.settings, 120_000, seed);
});
afterAll(() => write(`DROP DATABASE ${database}`));

async function seed(db: Connection): Promise<void> {
  await db.query('SET unique_checks = 0, foreign_key_checks = 0');
  await db.query('CREATE TABLE n (n INT PRIMARY KEY)');
  await db.query('INSERT INTO n VALUES ?', [Array.from({ length: PRODUCTS }, (_, index) => [index])]);
  const insert = (into: string, columns: string, count: number) =>
    db.query(`INSERT INTO ${into} SELECT ${columns} FROM n WHERE n < ${count} ORDER BY n`);
  const time = "'2026-01-01' + INTERVAL n SECOND";
  // Half of the products are red, the other half blue. A fifth is round.
  const description =
    "CONCAT(IF(MOD(n, 2) = 0, 'red', 'blue'), IF(MOD(n, 10) < 2, ' round', ''), IF(n < 50, ' rare', ''))";
  await insert('users (name, name_folded, email, created_at)', `n, n, CONCAT(n, '@example.com'), ${time}`, 12_000);
  await db.query('DELETE FROM stores');
  await insert(
    'stores (id, user_id, name, name_folded, created_at)',
    `n + 1, CASE WHEN n < 200 THEN ${BIG_SELLER} WHEN n = 200 THEN ${SELLER} WHEN n < 211 THEN ${CHAIN}
       WHEN n = ${STORES} THEN ${BEGINNER} ELSE n END, n, n, ${time}`,
    STORES + 1,
  );
  await insert(
    `products (store_id, category_id, name, name_folded, name_words, description, description_words, price, stock,
       created_at, terms_checksum)`,
    `1 + MOD(n * 377, ${STORES}), CASE WHEN MOD(n, 10) = 1 THEN ${FULL} WHEN MOD(n, 3) = 0 THEN ${LARGE} WHEN n < 65 THEN ${SMALL}
       END, CONCAT('p', n), CONCAT('p', n), CONCAT(' p', n), ${description}, CONCAT(' ', ${description}),
       MOD(n * 7919, 30000) / 100, IF(n < 100, 0, 5), ${time}, CRC32(CONCAT('p', n, ' ', ${description}))`,
    PRODUCTS,
  );
  // What partTerms makes of these names and wordTerms of these descriptions.
  await db.query(
    `INSERT INTO product_terms (product_id, field, term)
     SELECT id, 'name', SUBSTRING(name_folded, n + 1)
     FROM products STRAIGHT_JOIN (SELECT n FROM n WHERE n < 10) AS n ON n < CHAR_LENGTH(name_folded)`,
  );
  await db.query(
    `INSERT INTO product_terms (product_id, field, term)
     SELECT id, 'description', word
     FROM products STRAIGHT_JOIN (SELECT 'red' AS word UNION SELECT 'blue' UNION SELECT 'round' UNION SELECT 'rare') AS words
       ON INSTR(description, word)`,
  );
  await insert(
    `transactions
       (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total, status, created_at)`,
    `1 + MOD(n, 1000), 1 + MOD(n * 377, ${STORES}), '', REPEAT('x', 200), '', '', MOD(n * 7919, 30000) / 100,
     IF(n < 100, 'pending', 'completed'), ${time}`,
    PRODUCTS,
  );
  await insert(
    'audit_events (event, user_id, request_id, created_at)',
    `IF(n < 100, 'role_changed', 'login'), 1 + MOD(n, 1000), REPEAT('x', 100), ${time}`,
    PRODUCTS,
  );
  await db.query('DROP TABLE n');
  await db.query('ANALYZE TABLE users, stores, products, product_terms, transactions, audit_events');
}

/** Counting 10,001 rows in an index. Each is read again from the derived table, and candidates of a search when duplicates are removed. */
const COUNTING = 75_000;
/** Counting the matches among the half of all products that have a word. */
const TESTING = 1.5 * PRODUCTS;

const HUNDRED = Array.from({ length: 100 }, (_, index) => 1 + 300 * index);

interface Ran {
  statement: string;
  /** Plan steps on the shop's tables, without those on the derived page. */
  plan: { table: string; type: string; key: string | null; extra: string }[];
  /** How often the server read a row, including temporary tables. */
  reads: number;
}

/** Runs `list` and returns the plan and cost of each statement. */
async function run(list: TestedList, page: Page = {}): Promise<{ ran: Ran[]; list: List<unknown> }> {
  const ran: Ran[] = [];
  let returned: List<unknown> | undefined;
  await withConnection(connection.settings, 60_000, async (db) => {
    const query = async (statement: string, values: unknown[] = []) =>
      (await db.query<RowDataPacket[]>(statement, values))[0];
    const reads = async () => {
      const counters = await query("SHOW SESSION STATUS LIKE 'Handler_read%'");
      return counters.reduce((sum, { Value }) => sum + Number(Value), 0);
    };
    const sql = sqlOver(async (statement, values) => {
      const bound = values.map((value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value));
      const steps = await query(`EXPLAIN /*!80000 FORMAT=TRADITIONAL */ ${statement}`, bound);
      const before = await reads();
      const rows = await query(statement, bound);
      ran.push({
        statement,
        plan: steps
          .filter(({ table }) => table !== null && !String(table).startsWith('<'))
          .map(({ table, type, key, Extra }) => ({ table, type, key, extra: Extra ?? '' })),
        reads: (await reads()) - before,
      });
      return rows;
    });
    returned = await list(sql, { limit: 10, ...page });
  });
  if (!returned) throw new Error('the list returned nothing');
  return { ran, list: returned };
}

type Page = Partial<PageOfList>;
type TestedList = (sql: Sql, page: PageOfList) => Promise<List<unknown>>;

const products =
  (ownerId: number | undefined, query: Omit<ProductQuery, 'limit'>): TestedList =>
  (sql, page) =>
    listProducts(sql, ownerId, { ...page, ...query });
const orders =
  (party: { buyerId?: number; sellerId?: number }, query: Omit<OrderQuery, 'limit'>): TestedList =>
  (sql, page) =>
    listOrdersOf(sql, party, { ...page, ...query });
const [cheapest, dearest] = [false, true].map((descending) => ({ sort: { by: 'price' as const, descending } }));
const byName = { sort: { by: 'name' as const, descending: false } };
const byRelevance = { sort: { by: 'relevance' as const, descending: true } };

/** Lists with many rows, read in index order: only the rows of the page are read. */
test.each<[title: string, list: TestedList, index: string]>([
  ['the catalog', products(undefined, {}), 'products_newest'],
  ['a large category', products(undefined, { category_id: LARGE }), 'products_category_newest'],
  ['the catalog of a store', products(undefined, { store_id: 7 }), 'products_store'],
  ['half of all prices', products(undefined, { min_price: 15_000n }), 'products_newest'],
  ['the cheapest', products(undefined, { ...cheapest }), 'products_by_price'],
  ['the dearest', products(undefined, { ...dearest }), 'products_by_price'],
  [
    'the cheapest of a large category',
    products(undefined, { ...cheapest, category_id: LARGE }),
    'products_category_price',
  ],
  ['the dearest of a store', products(undefined, { ...dearest, store_id: 7 }), 'products_store_price'],
  ['the dearest half', products(undefined, { ...cheapest, min_price: 15_000n }), 'products_by_price'],
  ['by name', products(undefined, byName), 'products_by_name'],
  ['by name in a large category', products(undefined, { ...byName, category_id: LARGE }), 'products_category_name'],
  ['by name in a store', products(undefined, { ...byName, store_id: 7 }), 'products_store_name'],
  ['what is in stock', products(undefined, { in_stock: true }), 'products_newest'],
  ['the cheapest in stock', products(undefined, { ...cheapest, in_stock: true }), 'products_by_price'],
  ['own products in one store', products(SELLER, {}), 'products_store'],
  ['own products in many stores', products(BIG_SELLER, {}), 'products_newest'],
  ['own products in one of several stores', products(CHAIN, { store_id: 205 }), 'products_store'],
  ['a search for a common word', products(undefined, { search: 'red' }), 'products_newest'],
  ['a search for a part of every name', products(undefined, { search: 'p' }), 'products_newest'],
  ['a search for two common words', products(undefined, { search: 'blue round' }), 'products_newest'],
  [
    'a search by relevance with too many matches',
    products(undefined, { search: 'red', ...byRelevance }),
    'products_newest',
  ],
  ['the cheapest of a search', products(undefined, { search: 'red', ...cheapest }), 'products_by_price'],
  [
    'a search in a large category',
    products(undefined, { search: 'red', category_id: LARGE }),
    'products_category_newest',
  ],
  ["a buyer's transactions", orders({ buyerId: 7 }, {}), 'transactions_user'],
  ["a seller's transactions", orders({ sellerId: SELLER }, {}), 'transactions_store'],
  ['all transactions', orders({}, {}), 'transactions_newest'],
  ['all completed transactions', orders({}, { status: 'completed' }), 'transactions_status'],
  ['transactions above a common total', orders({}, { min_total: 10_000n }), 'transactions_newest'],
  ['all audit events', (sql, page) => listEvents(sql, page), 'audit_events_newest'],
  ['all logins', (sql, page) => listEvents(sql, { ...page, event: 'login' }), 'audit_events_event'],
  ["a user's audit events", (sql, page) => listEvents(sql, { ...page, user_id: 7 }), 'audit_events_user'],
  ['all users', (sql, page) => listUsers(sql, page), 'users_present'],
  ['own stores', (sql, page) => listStores(sql, BIG_SELLER, page), 'stores_owner_newest'],
])('%s: the page is read in index order', async (_, list, index) => {
  const assertIndexOrder = ({ statement, plan, reads }: Ran) => {
    expect(plan.map(({ key }) => key)).toContain(index);
    expect(plan.filter(({ type, extra }) => type === 'ALL' || /filesort|temporary/.test(extra))).toEqual([]);
    expect(reads).toBeLessThan(statement.includes('COUNT') ? COUNTING : 300);
  };
  const firstPage = await run(list);
  assertIndexOrder(firstPage.ran.at(-1) as Ran);
  for (const { plan, reads } of firstPage.ran) {
    expect(plan.filter(({ type }) => type === 'ALL')).toEqual([]);
    expect(reads).toBeLessThan(TESTING);
  }
  // After a position near the start, and after one far from it.
  const total = Math.min(firstPage.list.total ?? 0, 10_000);
  const farPage = await run(list, { page: Math.ceil(total / 20) });
  for (const after of [firstPage.list.next, farPage.list.next]) {
    expect(after).toBeDefined();
    const next = await run(list, { after });
    expect(next.list.rows).toHaveLength(10);
    expect(next.ran.filter(({ statement }) => statement.includes('COUNT'))).toEqual([]);
    assertIndexOrder(next.ran.at(-1) as Ran);
  }
});

/** Lists with few or no rows: an index finds them, without scanning the newest rows of the whole table. */
test.each<[title: string, list: TestedList, most: number]>([
  ['a small category', products(undefined, { category_id: SMALL }), 200],
  ['an empty category', products(undefined, { category_id: EMPTY }), 20],
  ['a narrow price range', products(undefined, { min_price: 1000n, max_price: 1001n }), 200],
  ['a price of no product', products(undefined, { min_price: 1_000_000n }), 200],
  ['own products in several stores', products(CHAIN, {}), 5000],
  ['own products of a beginner', products(BEGINNER, {}), 20],
  ['sales of a beginner', orders({ sellerId: BEGINNER }, {}), 20],
  ['sales in several stores', orders({ sellerId: CHAIN }, {}), 5000],
  ['a total of no transaction', orders({}, { min_total: 1_000_000n }), 200],
  ['pending transactions', orders({}, { status: 'pending' }), 400],
  ['rare audit events', (sql, page) => listEvents(sql, { ...page, event: 'role_changed' }), 400],
  ["a user's rare audit events", (sql, page) => listEvents(sql, { ...page, user_id: 7, event: 'role_changed' }), 200],
  ['the cheapest of a small category', products(undefined, { ...cheapest, category_id: SMALL }), 200],
  ['by name, in a narrow price range', products(undefined, { ...byName, min_price: 1000n, max_price: 1001n }), 200],
  ['what is sold out', products(undefined, { in_stock: false }), 400],
  ['the dearest of what is sold out', products(undefined, { ...dearest, in_stock: false }), 400],
  ['a hundred products by their ids', products(undefined, { ids: HUNDRED }), 500],
  ['a hundred products by their ids and by name', products(undefined, { ...byName, ids: HUNDRED }), 500],
  ['a search for a rare word', products(undefined, { search: 'rare' }), 400],
  ['a search by relevance', products(undefined, { search: 'rare', ...byRelevance }), 500],
  ['a search for a part of a few names', products(undefined, { search: '1234' }), 300],
  ['a search for what no product has', products(undefined, { search: '🍵' }), 20],
  ['a search for a common and a rare word', products(undefined, { search: 'round rare' }), COUNTING],
  ['a search for a common word in a store', products(undefined, { search: 'red', store_id: 7 }), COUNTING],
  ['a search for a common word in several own stores', products(CHAIN, { search: 'red' }), COUNTING],
  ['a buyer without transactions', orders({ buyerId: 11_000 }, {}), 20],
  ['a status and a total of no transaction', orders({}, { status: 'completed', min_total: 1_000_000n }), 200],
])('%s: only matching rows are read', async (_, list, most) => {
  const firstPage = await run(list);
  const nextPage = firstPage.list.next ? await run(list, { after: firstPage.list.next }) : undefined;
  for (const { plan, reads } of [...firstPage.ran, ...(nextPage?.ran ?? [])]) {
    expect(plan.filter(({ type }) => type === 'ALL')).toEqual([]);
    expect(reads).toBeLessThan(most);
  }
});

test('a search for common words that no product has together reads the products with one of them', async () => {
  const { ran, list } = await run(products(undefined, { search: 'red blue' }));
  expect(list).toMatchObject({ rows: [], total: 0 });
  for (const { plan, reads } of ran) {
    expect(plan.filter(({ type }) => type === 'ALL')).toEqual([]);
    expect(reads).toBeLessThan(TESTING);
  }
});

describe('the total', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp(productService, { DB_NAME: database });
  });
  afterAll(() => app.close());

  const list = async (query: object) =>
    (await app.http.get('/api/v1/catalog/products').query(query).expect(200)).body as {
      data: { id: number }[];
      pagination: { next_cursor: string | null };
    };

  test('is exact up to 10,000 and capped beyond', async () => {
    expect((await list({ category_id: FULL })).pagination).toMatchObject({ total: 10_000 });
    expect((await list({ category_id: LARGE })).pagination).toMatchObject({ total: 10_000, total_capped: true });
    expect((await list({ category_id: EMPTY })).pagination).toMatchObject({ total: 0 });
  });

  test.each<[query: object, total: number]>([
    [{ search: 'blue round' }, 10_000],
    [{ search: 'round', category_id: LARGE }, 3334],
    [{ search: 'red round', category_id: LARGE }, 3334],
    [{ search: 'round rare' }, 10],
  ])('is exact also if each condition matches more than 10,000: %j', async (query, total) => {
    const { pagination } = await list(query);
    expect(pagination).toMatchObject({ total });
    expect(pagination).not.toHaveProperty('total_capped');
  });

  test('does not limit the cursor', async () => {
    const seen: number[] = [];
    let query: object = { category_id: LARGE, page: 100, limit: 100 };
    for (let cursor: string | null = ''; cursor !== null; query = { category_id: LARGE, limit: 100, cursor }) {
      const { data, pagination } = await list(query);
      seen.push(...data.map(({ id }) => id));
      cursor = pagination.next_cursor;
    }
    // The seed's products have consecutive ids and increasing times. The last page by number has 100 of the first 10,000.
    const all = Array.from({ length: PRODUCTS }, (_, index) => PRODUCTS - 1 - index);
    const inCategory = all.filter((n) => n % 3 === 0 && n % 10 !== 1).map((n) => n + 1);
    expect(seen).toEqual(inCategory.slice(9900));
  });

  test('is capped in every list', async () => {
    const auth = await startApp(authService, { DB_NAME: database });
    const admin = await aUser({ role: 'admin' });
    const { body } = await auth.http.get('/api/v1/auth/users').set(admin.auth).expect(200);
    expect(body.pagination).toMatchObject({ total: 10_000, total_capped: true });
    await auth.close();
  });
});
