/**
 * Lists over tables with 1,000 and 1,000,000 rows, without the cache: the median time of each first page, and the plans of its
 * statements. Fails if the catalog takes more than twice as long in the large shop.
 *
 * Uses the server in TEST_DB_HOST (TEST_DB_PORT, TEST_DB_USER, TEST_DB_PASS), otherwise starts its own MariaDB or MySQL.
 * `npm run bench -- lists [ROUNDS] [ROWS]`
 */
import { createRequire } from 'node:module';
import { createShopDatabase } from '../support/database.mjs';
import { median } from '../support/load.mjs';
import { listStatements } from '../support/plans.mjs';
import { startService, tokenFor } from '../support/shop.mjs';

const require = createRequire(import.meta.url);
const { listProducts } = require('../../services/product/dist/products/products.sql.js');
const { listOrdersOf } = require('../../services/transaction/dist/orders/orders.sql.js');
const { listUsers } = require('../../services/auth/dist/accounts/accounts.sql.js');

const AT_MOST = 2;
const SMALL = 1000;
const STORES = 1000;
const ADMIN = 1;
/** The owners of one store, of fifty stores, and of one store without products or sales. */
const [SELLER, CHAIN, BEGINNER] = [2, 3, 4];
/** The seed has categories 1 to 5; the first four get products. */
const [FULL, EMPTY] = [1, 5];

const first = { page: 1, limit: 10 };
const cents = (amount) => BigInt(amount) * 100n;

const lists = [
  ['catalog', 'product', '/api/v1/catalog/products', ADMIN, (sql) => listProducts(sql, undefined, first)],
  [
    'catalog, a category',
    'product',
    `/api/v1/catalog/products?category_id=${FULL}`,
    ADMIN,
    (sql) => listProducts(sql, undefined, { ...first, category_id: FULL }),
  ],
  ['catalog, an empty category', 'product', `/api/v1/catalog/products?category_id=${EMPTY}`, ADMIN],
  [
    'catalog, a store',
    'product',
    '/api/v1/catalog/products?store_id=7',
    ADMIN,
    (sql) => listProducts(sql, undefined, { ...first, store_id: 7 }),
  ],
  [
    'catalog, a narrow price range',
    'product',
    '/api/v1/catalog/products?min_price=99.90&max_price=99.91',
    ADMIN,
    (sql) => listProducts(sql, undefined, { ...first, min_price: 9990n, max_price: 9991n }),
  ],
  ['catalog, half of all prices', 'product', '/api/v1/catalog/products?min_price=500', ADMIN],
  ['catalog, a price that none has', 'product', '/api/v1/catalog/products?min_price=5000000', ADMIN],
  [
    'catalog, by price',
    'product',
    '/api/v1/catalog/products?sort=price',
    ADMIN,
    (sql) => listProducts(sql, undefined, { ...first, sort: { by: 'price', descending: false } }),
  ],
  ['catalog, by name in a category', 'product', `/api/v1/catalog/products?sort=name&category_id=${FULL}`, ADMIN],
  ['catalog, sold out', 'product', '/api/v1/catalog/products?in_stock=false', ADMIN],
  ['catalog, page 1000', 'product', '/api/v1/catalog/products?page=1000', ADMIN],
  ["an admin's products", 'product', '/api/v1/products', ADMIN],
  ['own products, one store', 'product', '/api/v1/products', SELLER, (sql) => listProducts(sql, SELLER, first)],
  ['own products, fifty stores', 'product', '/api/v1/products', CHAIN, (sql) => listProducts(sql, CHAIN, first)],
  ['own products, none', 'product', '/api/v1/products', BEGINNER],
  [
    "a buyer's transactions",
    'transaction',
    '/api/v1/transactions',
    SELLER,
    (sql) => listOrdersOf(sql, { buyerId: SELLER }, first),
  ],
  [
    "a seller's transactions",
    'transaction',
    '/api/v1/transactions?as=seller',
    SELLER,
    (sql) => listOrdersOf(sql, { sellerId: SELLER }, first),
  ],
  [
    'a seller without sales',
    'transaction',
    '/api/v1/transactions?as=seller',
    BEGINNER,
    (sql) => listOrdersOf(sql, { sellerId: BEGINNER }, first),
  ],
  ["an admin's transactions", 'transaction', '/api/v1/transactions', ADMIN, (sql) => listOrdersOf(sql, {}, first)],
  [
    'transactions, a total that none has',
    'transaction',
    '/api/v1/transactions?min_total=5000000',
    ADMIN,
    (sql) => listOrdersOf(sql, {}, { ...first, min_total: cents(5_000_000) }),
  ],
  ['transactions, a total that half have', 'transaction', '/api/v1/transactions?min_total=500', ADMIN],
  [
    'transactions, cancelled and a total that none has',
    'transaction',
    '/api/v1/transactions?status=cancelled&min_total=5000000',
    ADMIN,
  ],
  ['users', 'auth', '/api/v1/auth/users', ADMIN, (sql) => listUsers(sql, first)],
];

export async function run([rounds = '21', rows = '1000000']) {
  const shops = [];
  try {
    for (const size of [SMALL, Number(rows)]) shops.push(await openShop(size));
    const [small, large] = shops;
    console.log(`server: ${large.version}; without the cache; median of ${rounds} first pages, ms`);
    console.log(`products and transactions: ${small.size} | ${large.size}; users: ${small.users} | ${large.users}`);
    let catalog;
    for (const list of lists) {
      const [title] = list;
      const times = await sideBySide(list, shops, Number(rounds));
      const ratio = times[1] / times[0];
      catalog ??= ratio;
      console.log(
        `${title.padEnd(52)}${times.map((ms) => ms.toFixed(1).padStart(8)).join('')}   ratio ${ratio.toFixed(2)}`,
      );
    }
    for (const [title, , , , read] of lists) if (read) await printPlans(title, large.database, read);
    console.log(`\ncatalog, ratio: ${catalog.toFixed(2)} (at most ${AT_MOST})`);
    return catalog <= AT_MOST ? 0 : 1;
  } finally {
    for (const shop of shops) await shop.close();
  }
}

/** A seeded database with the three services whose lists are measured. */
async function openShop(size) {
  const database = await createShopDatabase({ bufferPoolMiB: 512 });
  const closing = [() => database.drop()];
  const close = async () => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const users = Math.max(10, size / 10);
    await seed(database, size, users);
    const urls = {};
    for (const service of ['product', 'transaction', 'auth']) {
      const shop = await startService(service, { REDIS_HOST: '' }, database.settings);
      closing.push(() => shop.stop());
      urls[service] = shop.url;
    }
    const [[{ version }]] = await database.query('SELECT VERSION() AS version');
    return { size, users, version, urls, database, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function seed({ query }, size, users) {
  const start = performance.now();
  await query('CREATE TABLE n (n INT PRIMARY KEY)');
  await query('INSERT INTO n VALUES ?', [Array.from({ length: 1000 }, (_, index) => [index])]);
  /** Inserts `count` rows; `columns` may use `i.n`, which starts at 0. */
  const insert = async (into, columns, count) => {
    for (let from = 0; from < count; from += 100_000) {
      await query(
        `INSERT INTO ${into} SELECT ${columns}
         FROM (SELECT ${from} + a.n * 1000 + b.n AS n FROM n a JOIN n b WHERE a.n < 100) AS i WHERE i.n < ${count} ORDER BY i.n`,
      );
    }
  };
  const time = (row) => `'2026-01-01' + INTERVAL ${row} SECOND`;
  await insert(
    'users (name, name_folded, email, created_at)',
    `CONCAT('User ', i.n), CONCAT('user ', i.n), CONCAT(i.n, '@example.com'), ${time('i.n')}`,
    users,
  );
  // Fifty stores for one user, one store for each of the others. The last store has no products.
  await query('DELETE FROM stores');
  await insert(
    'stores (id, user_id, name, name_folded, created_at)',
    `i.n + 1, CASE WHEN i.n = ${STORES} THEN ${BEGINNER} WHEN i.n < 50 THEN ${CHAIN} WHEN i.n = 50 THEN ${SELLER}
       ELSE 5 + MOD(i.n, ${users} - 5) END, CONCAT('Store ', i.n), CONCAT('store ', i.n), ${time('i.n')}`,
    STORES + 1,
  );
  await insert(
    `products (store_id, category_id, name, name_folded, name_words, description, description_words, price, created_at)`,
    `1 + MOD(i.n, ${STORES}), 1 + MOD(i.n, 4), CONCAT('Product ', i.n), CONCAT('product ', i.n), CONCAT(' product ', i.n),
     'A thing with a handle, made of stoneware and glazed in blue.',
     ' a thing with handle made of stoneware and glazed in blue', MOD(i.n * 7919, 100000) / 100, ${time('i.n')}`,
    size,
  );
  await insert(
    `transactions
       (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total, status, created_at)`,
    `1 + MOD(i.n, ${users}), 1 + MOD(i.n, ${STORES}), '', 'Main Street 1', 'Springfield', '12345',
     MOD(i.n * 7919, 100000) / 100, 1 + MOD(i.n, 5), ${time('i.n')}`,
    size,
  );
  await query('DROP TABLE n');
  await query('ANALYZE TABLE users, stores, products, transactions');
  console.log(`seeded ${size} products and transactions in ${Math.round((performance.now() - start) / 1000)} s`);
}

async function sideBySide([title, service, path, userId], shops, rounds) {
  const role = userId === ADMIN ? 'admin' : 'user';
  const headers = { authorization: `Bearer ${tokenFor({ id: userId, role })}` };
  const times = shops.map(() => []);
  // Plus one round to warm up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { urls }] of shops.entries()) {
      const start = performance.now();
      const response = await fetch(`${urls[service]}${path}`, { headers });
      const text = await response.text();
      if (!response.ok) throw new Error(`${title}: ${response.status} ${text}`);
      if (round > 0) times[index].push(performance.now() - start);
    }
  }
  return times.map(median);
}

async function printPlans(title, { query }, read) {
  console.log(`\n${title}`);
  for (const { statement, values } of await listStatements({ query }, read)) {
    console.log(`  ${statement}`);
    const [plan] = await query(`EXPLAIN /*!80000 FORMAT=TRADITIONAL */ ${statement}`, values);
    for (const row of plan)
      console.log(
        `    ${[row.id, row.select_type, row.table, row.type, row.key, `rows ${row.rows}`, row.Extra].join(' | ')}`,
      );
  }
}
