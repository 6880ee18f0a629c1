/**
 * Queries that the cache saves: queries per request by MySQL's own counters (Com_select, and all statements as Questions), with
 * and without Redis, for the same requests to a shop with 1,000 products. 95 % of the requests read a product's page (mostly
 * of popular products) or the first pages of the catalog; 5 % change any product.
 */
import autocannon from 'autocannon';
import { figure, markdownTable } from '../support/figures.mjs';
import { startService } from '../support/shop.mjs';

const AT_LEAST = 0.8;
const PRODUCTS = 1000;
const CONNECTIONS = 20;
/** Without Redis, concurrent readers share queries too. One visitor at a time shows the queries without sharing. */
const ONE_BY_ONE = 1;

/** The same random sequence for both runs (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Popularity by Zipf's law: the n-th most popular product is requested 1/n as often as the first. */
const weights = Array.from({ length: PRODUCTS }, (_, index) => 1 / (index + 1));
const sum = weights.reduce((total, weight) => total + weight, 0);

function popular(next) {
  let left = next() * sum;
  return (
    weights.findIndex((weight) => {
      left -= weight;
      return left <= 0;
    }) + 1
  );
}

function visits(count, token) {
  const next = random(4711);
  return Array.from({ length: count }, () => {
    const dice = next();
    if (dice < 0.05) {
      const id = Math.ceil(next() * PRODUCTS);
      return {
        method: 'PUT',
        path: `/api/v1/products/${id}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ price: Math.ceil(next() * 1000) / 10 }),
      };
    }
    if (dice < 0.8) return { method: 'GET', path: `/api/v1/catalog/products/${popular(next)}` };
    return { method: 'GET', path: `/api/v1/catalog/products?page=${next() < 0.85 ? 1 : 2}` };
  });
}

async function queriesPerRequest(settings, connections, requests) {
  const shop = await startService('product', settings);
  try {
    await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [
      Array.from({ length: PRODUCTS }, (_, index) => [1, `Mug ${index}`, 'A mug with a handle.', 12.5, 100]),
    ]);
    const counters = async () => {
      const [rows] = await shop.sql("SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_select', 'Questions')");
      return Object.fromEntries(rows.map(({ Variable_name: name, Value: value }) => [name, Number(value)]));
    };
    const all = visits(requests, shop.adminToken);
    const share = Math.ceil(requests / connections);
    let client = 0;
    const before = await counters();
    const result = await autocannon({
      url: shop.url,
      connections,
      amount: requests,
      setupClient(connection) {
        connection.setRequests(all.slice(client * share, (client + 1) * share));
        client += 1;
      },
    });
    const after = await counters();
    if (result.errors > 0 || result.non2xx > 0) throw new Error(`${result.non2xx} responses other than 2xx`);
    return {
      selects: (after.Com_select - before.Com_select) / requests,
      statements: (after.Questions - before.Questions) / requests,
    };
  } finally {
    await shop.stop();
  }
}

export async function run([requests = '20000']) {
  const without = await queriesPerRequest({ REDIS_HOST: '' }, ONE_BY_ONE, Number(requests));
  const cached = await queriesPerRequest({}, CONNECTIONS, Number(requests));
  const saved = 1 - cached.selects / without.selects;
  const row = (name, { selects, statements }) => [name, selects, statements];
  const head = [
    `${requests} requests, 95 % reads, ${PRODUCTS} products`,
    'queries per request',
    'statements per request',
  ];
  return {
    figures: [figure('queries that the cache saves', saved, 'share', { atLeast: AT_LEAST })],
    details: markdownTable(head, [row('without the cache', without), row('with it', cached)]),
  };
}
