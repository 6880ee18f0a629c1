/**
 * Every list and search at 1,000, 100,000 and 1,000,000 products and transactions (and a tenth as many users), without the cache: the
 * first request, and the median of the others, in which the sizes take turns. `npm run bench -- lists [ROUNDS] [LARGEST]`
 *
 * Uses the server in TEST_DB_HOST (TEST_DB_PORT, TEST_DB_USER, TEST_DB_PASS), otherwise starts its own MariaDB or MySQL.
 */
import { createRequire } from 'node:module';
import { createShopDatabase } from '../support/database.mjs';
import { figure, markdownTable } from '../support/figures.mjs';
import { median } from '../support/load.mjs';
import { BEGINNER, CHAIN, RARE, SELLER, seed } from '../support/seed.mjs';
import { startShop, tokenFor } from '../support/shop.mjs';

const { serviceNames } = createRequire(import.meta.url)('@shop/test-servers');

const AT_MOST = { ratio: 2, ms: 30 };
const SIZES = [1000, 100_000, 1_000_000];
const ADMIN = 1;
/** More rounds of such a list would take too long. */
const TOO_SLOW_MS = 500;
/** The development data has categories 1 to 5; the first four have products. */
const [FULL, EMPTY] = [1, 5];

const catalog = (title, query) => [`catalog, ${title}`, 'product', `/api/v1/catalog/products?${query}`, ADMIN];
const own = (title, query, user) => [`own products, ${title}`, 'product', `/api/v1/products?${query}`, user];
const orders = (title, query, user = ADMIN) => [
  `transactions, ${title}`,
  'transaction',
  `/api/v1/transactions?${query}`,
  user,
];

const LISTS = [
  catalog('first page', ''),
  catalog('page 100', 'page=100'),
  catalog('100 per page', 'limit=100'),
  catalog('a category', `category_id=${FULL}`),
  catalog('an empty category', `category_id=${EMPTY}`),
  catalog('a store', 'store_id=7'),
  catalog('a narrow price range', 'min_price=99.90&max_price=99.91'),
  catalog('half of all prices', 'min_price=500'),
  catalog('a price that none has', 'min_price=5000000'),
  catalog('by price', 'sort=price'),
  catalog('by name in a category', `sort=name&category_id=${FULL}`),
  catalog('by price, descending, in a store', 'sort=-price&store_id=7'),
  catalog('sold out', 'in_stock=false'),
  catalog('in stock, a category and a price', `in_stock=true&category_id=${FULL}&min_price=500`),
  catalog('ids', 'ids=1,2,3,500,900'),
  catalog('search: a frequent word', 'search=mug'),
  catalog('search: two frequent words', 'search=blue%20mug'),
  catalog('search: a rare word', `search=${RARE.word}`),
  catalog('search: the beginning of a rare word', `search=${RARE.word.slice(0, 4)}`),
  catalog('search: the middle of a rare word', `search=${RARE.word.slice(2, 6)}`),
  catalog('search: a frequent and a rare word', `search=blue%20${RARE.word}`),
  catalog('search: a word of all descriptions', 'search=stoneware'),
  catalog('search: a number in names', 'search=77'),
  catalog('search: one letter', 'search=u'),
  catalog('search: a word that none has', 'search=zeppelin'),
  catalog('search: two frequent words of different products', 'search=mug%20bowl'),
  catalog('search by relevance', `search=${RARE.word}&sort=relevance`),
  catalog('search in a store', 'search=mug&store_id=7'),
  catalog('search in a category, by price', `search=mug&category_id=${FULL}&sort=price`),
  own('one store', '', SELLER),
  own('fifty stores', '', CHAIN),
  own('none', '', BEGINNER),
  own('search in fifty stores', 'search=mug', CHAIN),
  own('an admin', '', ADMIN),
  orders('a buyer', '', SELLER),
  orders('a buyer, cancelled', 'status=cancelled', SELLER),
  orders('a seller', 'as=seller', SELLER),
  orders('a seller, pending, a total', 'as=seller&status=pending&min_total=500', SELLER),
  orders('a seller with fifty stores', 'as=seller', CHAIN),
  orders('a seller without sales', 'as=seller', BEGINNER),
  orders('an admin', ''),
  orders('an admin, pending', 'status=pending'),
  orders('a total that none has', 'min_total=5000000'),
  orders('a total that half have', 'min_total=500'),
  orders('cancelled and a total that none has', 'status=cancelled&min_total=5000000'),
  ['users', 'auth', '/api/v1/auth/users', ADMIN],
  ['users, search: one of them', 'auth', '/api/v1/auth/users?search=user%2077', ADMIN],
  ['users, search: none', 'auth', '/api/v1/auth/users?search=zeppelin', ADMIN],
  ['categories', 'auth', '/api/v1/categories', ADMIN],
  ['audit events', 'auth', '/api/v1/auth/audit', ADMIN],
  ['stores, own', 'store', '/api/v1/stores', CHAIN],
  ['stores, an admin', 'store', '/api/v1/stores', ADMIN],
  ['stores, search', 'store', '/api/v1/stores?search=77', ADMIN],
  ['addresses', 'address', '/api/v1/addresses', SELLER],
  ['addresses, an admin', 'address', '/api/v1/addresses', ADMIN],
  ['addresses, a city', 'address', '/api/v1/addresses?city=Paris', ADMIN],
  ['files', 'file', '/api/v1/files', SELLER],
];

export async function run([rounds = '11', largest = String(SIZES.at(-1))]) {
  const sizes = SIZES.filter((size) => size < Number(largest)).concat(Number(largest));
  const shops = [];
  try {
    for (const size of sizes) shops.push(await openShop(size));
    const rows = [];
    for (const list of LISTS) rows.push({ title: list[0], ...(await timesOf(list, shops, Number(rounds))) });
    return report(shops, rows);
  } finally {
    for (const shop of shops.reverse()) await shop.close();
  }
}

function report(shops, rows) {
  const [{ size: small }, { size: large, version }] = [shops[0], shops.at(-1)];
  const slowest = rows.reduce((a, b) => (b.times.at(-1) > a.times.at(-1) ? b : a));
  const steepest = rows.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const head = ['first page, ms', ...shops.map(({ size }) => `at ${size}`), 'first request', 'ratio', 'status', 'rows'];
  const details = [
    `${version}, without the cache. The first request is the one to the largest shop; the ratio compares its median with the smallest's.`,
    '',
    markdownTable(
      head,
      rows.map(({ title, times, first, ratio, status, found }) => [title, ...times, first, ratio, status, found]),
    ),
  ].join('\n');
  return {
    figures: [
      figure(`the list that grows most from ${small} to ${large} rows: ${steepest.title}`, steepest.ratio, 'times', {
        atMost: AT_MOST.ratio,
      }),
      figure(`the slowest list at ${large} rows: ${slowest.title}`, slowest.times.at(-1), 'ms', { atMost: AT_MOST.ms }),
      figure('lists that fail', rows.filter(({ status }) => status !== 200).length, `of ${rows.length}`, { atMost: 0 }),
    ],
    details,
  };
}

/** A seeded database with all services. */
async function openShop(size) {
  const database = await createShopDatabase({ bufferPoolMiB: 2048, extraArgs: FAST_WRITES });
  const closing = [() => database.drop()];
  const close = async () => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const connection = await database.connect();
    await seed(connection, { products: size, users: Math.max(100, size / 10) });
    connection.release();
    const shop = await startShop(serviceNames, { REDIS_HOST: '' }, database.settings);
    closing.push(() => shop.stop());
    const [[{ version }]] = await database.query('SELECT VERSION() AS version');
    return { size, version, urls: shop.urls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** For the seed. The redo log of MySQL 8.0.30 and newer has another option, and grows by itself. */
const FAST_WRITES = [
  '--loose-innodb-log-file-size=512M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--innodb-sort-buffer-size=64M',
];

/** @returns the median at each size; the first request, the status and the rows of the page at the last; how many times as long it takes as at the first */
async function timesOf([title, service, path, userId], shops, rounds) {
  const headers = { authorization: `Bearer ${tokenFor({ id: userId, role: userId === ADMIN ? 'admin' : 'user' })}` };
  const all = shops.map(() => []);
  let status;
  let text;
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { urls }] of shops.entries()) {
      const start = performance.now();
      const response = await fetch(urls[service] + path, { headers });
      text = await response.text();
      all[index].push(performance.now() - start);
      ({ status } = response);
      // 503: the statement reached its time limit.
      if (!response.ok && status !== 503) throw new Error(`${title}: ${status} ${text}`);
    }
    if (round > 0 && all.at(-1)[round] > TOO_SLOW_MS) break;
  }
  const times = all.map((ms) => median(ms.slice(1)));
  const found = status === 200 ? JSON.parse(text).data.length : undefined;
  return { times, first: all.at(-1)[0], status, found, ratio: times.at(-1) / times[0] };
}
