import { randomUUID } from 'node:crypto';
import { accessTokens } from '@shop/core';
import { withConnection } from '@shop/fleet';
import type { RowDataPacket } from 'mysql2';
import { aPng } from './support/files';
import { type LoadRequest, type LoadResult, openLoop } from './support/open-loop';
import { JWT_SECRET } from './support/test-app';
import { call, startTestFleet, type TestFleet } from './support/test-fleet';

/** Deploying: every instance of every service is replaced, one after the other, while customers come through Nginx. */

const API = '/api/v1';
const PER_SECOND = 200;
const token = accessTokens(JWT_SECRET).issue({ id: 1, role: 'admin' }).token;

let shop: TestFleet;
let reads: string[];
let orders: object[];

beforeAll(async () => {
  shop = await startTestFleet({ replicas: 2, env: { DB_POOL_SIZE: '20' } });
  const { url } = shop.fleet;
  const made = async (path: string, options: object) => (await call('POST', url + path, { token, ...options })).body;
  const form = new FormData();
  form.set('name', 'Mug');
  form.set('price', '2.5');
  form.set('stock', '1000000');
  form.set('image', new Blob([aPng()], { type: 'image/png' }), 'mug.png');
  const product = await made(`${API}/products`, { form });
  const address = await made(`${API}/addresses`, { json: { address: 'Main Street 1' } });
  const mug = { name: 'Mug', price: 2.5, stock: 1_000_000 };
  const ids = [product.id];
  while (ids.length < 20) ids.push((await made(`${API}/products`, { json: mug })).id);
  orders = ids.map((product_id) => ({ address_id: address.id, items: [{ product_id, quantity: 1 }] }));
  reads = [
    `${API}/auth/me`,
    `${API}/categories`,
    `${API}/products`,
    `${API}/catalog/products/${product.id}`,
    `${API}/transactions`,
    `${API}/addresses/${address.id}`,
    `${API}/stores`,
    `${API}/files`,
    String(product.image_url),
  ];
}, 120_000);
afterAll(() => shop?.stop(), 60_000);

const authorization = `Bearer ${token}`;
const aRead = (turn: number): LoadRequest => ({
  method: 'GET',
  url: shop.fleet.url + reads[turn % reads.length],
  headers: { authorization },
  expected: 200,
});
const aCheckout = (turn: number): LoadRequest => ({
  method: 'POST',
  url: `${shop.fleet.url}${API}/transactions`,
  headers: {
    authorization,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  },
  body: JSON.stringify(orders[turn % orders.length]),
  expected: 201,
});
/** One checkout in four requests. */
const customers = (turn: number) => (turn % 4 === 0 ? aCheckout(turn) : aRead(turn));

const failures = (results: readonly LoadResult[]) =>
  results
    .filter(({ status, request }) => status !== request.expected)
    .map(({ at, request, status, body }) => `${at.toFixed(2)} s: ${request.method} ${request.url}: ${status} ${body}`);

test('replacing every instance in turn under 200 requests a second costs none of them', async () => {
  const load = openLoop(PER_SECOND, customers);
  for (const instance of shop.fleet.instances) {
    expect(await instance.stop()).toEqual({ code: 0, signal: null });
    await instance.start();
  }
  const { results } = await load.stop();
  expect(failures(results)).toEqual([]);
  const placed = results.filter(({ request, status }) => request.method === 'POST' && status === 201);
  const ids = new Set(placed.map(({ body }) => JSON.parse(body).id));
  expect(ids.size).toBe(placed.length);
  expect(await ordersIn(shop.mysql.settings)).toEqual(ids);
}, 120_000);

const ordersIn = (database: Parameters<typeof withConnection>[0]): Promise<Set<number>> =>
  withConnection(database, 10_000, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT id FROM transactions');
    return new Set(rows.map(({ id }) => Number(id)));
  });
