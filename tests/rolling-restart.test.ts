import { randomUUID } from 'node:crypto';
import { accessTokenIssuer, secretKey } from '@shop/core/auth';
import { httpStatus, withConnection } from '@shop/test-servers';
import type { RowDataPacket } from 'mysql2';
import { eventually } from './support/eventually';
import { aPng } from './support/files';
import { type LoadRequest, type LoadResult, type PacedLoad, pacedLoad } from './support/paced-load';
import { JWT_SECRET } from './support/test-app';
import { call, startTestFleet, type TestFleet } from './support/test-fleet';

/** A deployment: replaces every replica of every service, one after the other, under load through Nginx. */

const API = '/api/v1';
const PER_SECOND = 200;
const token = accessTokenIssuer(secretKey(JWT_SECRET)).issue({ id: 1, role: 'admin' }).token;

let shop: TestFleet;
let load: PacedLoad | undefined;
let reads: string[];
let orders: object[];

beforeAll(async () => {
  shop = await startTestFleet({ replicas: 2, env: { DB_POOL_SIZE: '20', SHUTDOWN_DELAY_SECONDS: '2' } });
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
});
// Also after a failed test: otherwise the load would never stop.
afterEach(() => load?.stop());
afterAll(() => shop?.stop());

const authorization = `Bearer ${token}`;
const aRead = (turn: number): LoadRequest => ({
  method: 'GET',
  url: shop.fleet.url + reads[turn % reads.length],
  headers: { authorization },
  expected: 200,
});
const aCheckout = (turn: number, at = shop.fleet.url): LoadRequest => ({
  method: 'POST',
  url: `${at}${API}/transactions`,
  headers: {
    authorization,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  },
  body: JSON.stringify(orders[turn % orders.length]),
  expected: 201,
});
/** One checkout in ten requests, over all products in turn: this tests restarts, not a database at its limit. */
const customers = (turn: number) => (turn % 10 === 0 ? aCheckout(turn / 10) : aRead(turn));

const failures = (results: readonly LoadResult[]) =>
  results
    .filter(({ status, request }) => status !== request.expected)
    .map(({ at, request, status, body }) => `${at.toFixed(2)} s: ${request.method} ${request.url}: ${status} ${body}`);

test('replacing every replica in turn under load loses no request', async () => {
  const before = await ordersIn(shop.mysql.settings);
  const customersLoad = pacedLoad(PER_SECOND, customers);
  load = customersLoad;
  for (const instance of shop.fleet.instances) {
    const served = customersLoad.results.length;
    expect(await instance.stop()).toEqual({ code: 0, signal: null });
    await eventually('more requests to be served', () => customersLoad.results.length > served + 100);
    await instance.start();
  }
  const results = await customersLoad.stop();
  expect(failures(results)).toEqual([]);
  const ids = placed(results);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await ordersSince(before)).toEqual(new Set(ids));
});

test('a replica told to stop under load becomes unready first, finishes its requests and loses no order', async () => {
  const instance = shop.fleet.instance('transaction');
  const before = await ordersIn(shop.mysql.settings);
  // Bypasses Nginx, which would pass requests on to another replica.
  const buying = pacedLoad(PER_SECOND / 4, (turn) => aCheckout(turn, instance.url));
  load = buying;
  await eventually('some orders', () => buying.results.length >= 50);

  const stopAt = buying.seconds;
  const exit = instance.stop();
  await eventually('503', async () => (await httpStatus(`${instance.url}/ready`)) === 503);
  const unreadyAt = buying.seconds;
  expect(await exit).toEqual({ code: 0, signal: null }); // the fleet kills a process that exceeds its shutdown timeout
  const results = await buying.stop();
  await instance.start();

  // Requests sent before the signal succeed. After it is unready some still succeed, then connections are refused; no errors.
  const late = failures(results.filter(({ status, at }) => at < stopAt || status !== undefined));
  expect(late).toEqual([]);
  expect(results.filter(({ at, status }) => at > unreadyAt && status === 201).length).toBeGreaterThan(0);
  // Every written order was acknowledged, and every acknowledged order was written.
  expect(await ordersSince(before)).toEqual(new Set(placed(results)));
});

/** Ids of the acknowledged orders. */
const placed = (results: readonly LoadResult[]): number[] =>
  results
    .filter(({ request, status }) => request.method === 'POST' && status === 201)
    .map(({ body }) => Number(JSON.parse(body).id));

async function ordersSince(before: Set<number>): Promise<Set<number>> {
  return new Set([...(await ordersIn(shop.mysql.settings))].filter((id) => !before.has(id)));
}

const ordersIn = (database: Parameters<typeof withConnection>[0]): Promise<Set<number>> =>
  withConnection(database, 60_000, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT id FROM transactions');
    return new Set(rows.map(({ id }) => Number(id)));
  });
