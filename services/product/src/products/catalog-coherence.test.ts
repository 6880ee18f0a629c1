import { storeService } from '@shop/store';
import {
  aGate,
  anAddress,
  aProduct,
  aStore,
  aUser,
  eventually,
  rows,
  startApp,
  startProxy,
  type TcpProxy,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { productService } from '../service';

/** Buyers' reads right after a write, on a replica that may have cached the previous response. */

const PATH = '/api/v1/catalog/products';
const ROUNDS = 300;
let redis: TcpProxy;
let selling: [TestApp, TestApp];
let storing: TestApp;
let ordering: TestApp;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  redis = await startProxy({ host: '127.0.0.1', port: Number(process.env.SHOP_TEST_REDIS_PORT) });
  const settings = { REDIS_PORT: String(redis.port) };
  selling = await Promise.all([startApp(productService, settings), startApp(productService, settings)]);
  storing = await startApp(storeService, settings);
  ordering = await startApp(transactionService, settings);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(async () => {
  await Promise.all([...selling, storing, ordering].map((app) => app.close()));
  await redis.close();
});

const browse = (app: TestApp, query: object) => app.http.get(PATH).query(query).expect(200);
const sell = (app: TestApp, body: object) => app.http.post('/api/v1/products').set(seller.auth).send(body).expect(201);
const edit = (app: TestApp, id: number, body: object) =>
  app.http.put(`/api/v1/products/${id}`).set(seller.auth).send(body).expect(204);
const remove = (app: TestApp, id: number) => app.http.delete(`/api/v1/products/${id}`).set(seller.auth).expect(204);

async function expectCurrentMatches(): Promise<void> {
  const [writer, reader] = selling;
  const { id } = await aProduct({ store, price: '2.00' });
  const name = `Kettle of ${seller.email}`;
  const queries = [
    { store_id: store.id, max_price: '1.00' },
    { search: name, max_price: '1.00' },
  ];
  const idOf = (product: { id: number }) => product.id;
  const found = (): Promise<number[][]> =>
    Promise.all(queries.map(async (query) => (await browse(reader, query)).body.data.map(idOf)));
  expect(await found()).toEqual([[], []]);
  await edit(writer, id, { price: 1, name });
  expect(await found()).toEqual([[id], [id]]);
  const { body } = await sell(writer, { name, price: 0.5 });
  expect(await found()).toEqual([
    [body.id, id],
    [body.id, id],
  ]);
  await remove(writer, id);
  expect(await found()).toEqual([[body.id], [body.id]]);
  await reader.http.get(`${PATH}/${id}`).expect(404);
}

/** Five kinds of writes in turn. After each, the other replica's lists (all stores, one store) and product are current. */
async function expectNoStaleReads(): Promise<void> {
  const buyer = await aUser();
  const { id: address_id } = await anAddress(buyer);
  const name = `Pot of ${seller.email}`;
  const { id } = await aProduct({ store, name, stock: 1000, price: '5.00' });
  const queries = [{ search: name }, { store_id: store.id, min_price: '5.00', max_price: '5.99' }];
  let expected = { id, stock: 1000, price: 5, store: { id: store.id, name: expect.any(String) } };
  let order = 0;
  const writes = [
    async (app: TestApp, round: number) => {
      expected = { ...expected, price: 5 + (round % 100) / 100 };
      await edit(app, id, { price: expected.price });
    },
    async () => {
      expected = { ...expected, stock: expected.stock - 1 };
      const items = [{ product_id: id, quantity: 1 }];
      const placed = ordering.http.post('/api/v1/transactions').set(buyer.auth).send({ address_id, items });
      order = (await placed.expect(201)).body.id;
    },
    async () => {
      expected = { ...expected, stock: expected.stock + 1 };
      const cancelled = ordering.http.patch(`/api/v1/transactions/${order}`).set(buyer.auth);
      await cancelled.send({ status: 'cancelled' }).expect(204);
    },
    async (_: TestApp, round: number) => {
      expected = { ...expected, store: { id: store.id, name: `Store ${round}` } };
      const renamed = storing.http.put(`/api/v1/stores/${store.id}`).set(seller.auth);
      await renamed.send({ name: `Store ${round}` }).expect(204);
    },
    async (app: TestApp, round: number) => {
      expected = { ...expected, stock: 1000 + round };
      await edit(app, id, { stock: expected.stock });
    },
  ];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [writer, reader] = round % 2 ? selling : ([selling[1], selling[0]] as const);
    await writes[round % writes.length]?.(writer, round);
    const [shown, ...lists] = await Promise.all([
      reader.http.get(`${PATH}/${id}`).expect(200),
      ...queries.map((query) => browse(reader, query)),
    ]);
    expect([round, shown.body]).toEqual([round, expect.objectContaining(expected)]);
    for (const { body } of lists) expect([round, body.data]).toEqual([round, [shown.body]]);
  }
}

describe('with Redis', () => {
  test(`${ROUNDS} writes: the next read from another replica is current`, expectNoStaleReads);
  test(
    'a product that newly matches a filter is listed immediately, and a deleted one is not listed',
    expectCurrentMatches,
  );

  test('a retry with its idempotency key gets no response before the order is visible, while the first attempt hangs', async () => {
    const [reader] = selling;
    const { id } = await aProduct({ store, stock: 10 });
    const buyer = await aUser();
    const { id: address_id } = await anAddress(buyer);
    const still = await startApp(transactionService, { REDIS_PORT: String(redis.port) });
    const gate = aGate();
    still.resources.cache.invalidate = () => gate.passed;
    const buy = (app: TestApp) =>
      app.http
        .post('/api/v1/transactions')
        .set(buyer.auth)
        .set('Idempotency-Key', 'lost')
        .send({ address_id, items: [{ product_id: id, quantity: 4 }] });
    const shown = async () => (await reader.http.get(`${PATH}/${id}`).expect(200)).body.stock;
    expect(await shown()).toBe(10);
    const first = buy(still).then(({ status }) => status);
    const orders = () => rows('SELECT id FROM transactions WHERE user_id = ?', [buyer.id]);
    await eventually('the order to be committed', async () => (await orders()).length === 1);
    await buy(ordering).expect(201).expect('Idempotent-Replayed', 'true');
    expect(await shown()).toBe(6);
    gate.open();
    expect(await first).toBe(201);
    await still.close();
  });
});

describe('when Redis stops while its cached responses are in use', () => {
  beforeAll(async () => {
    const xCache = async (app: TestApp) => (await browse(app, { limit: 1 })).headers['x-cache'];
    await eventually('a cached response', async () => (await xCache(selling[0])) === 'HIT');
    await redis.close();
    for (const app of selling) expect(await xCache(app)).toBe('BYPASS');
  });

  test(`${ROUNDS} writes: the next read from another replica is current`, expectNoStaleReads);
  test(
    'a product that newly matches a filter is listed immediately, and a deleted one is not listed',
    expectCurrentMatches,
  );
});
