import {
  anAddress,
  aProduct,
  aStore,
  aUser,
  figure,
  labelValues,
  scrape,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';

const PATH = '/api/v1/transactions';
let app: TestApp;
let buyer: TestUser;
let address_id: number;

beforeEach(async () => {
  app = await startApp(transactionService, { PENDING_ORDER_TTL_MINUTES: '1440' });
  buyer = await aUser();
  address_id = (await anAddress(buyer)).id;
});
afterEach(() => app.close());

const buy = (items: [product: { id: number }, quantity: number][], key?: string, expected_total?: number) =>
  app.http
    .post(PATH)
    .set(buyer.auth)
    .set(key ? { 'Idempotency-Key': key } : {})
    .send({ address_id, expected_total, items: items.map(([{ id }, quantity]) => ({ product_id: id, quantity })) });
const cancel = (id: number) => app.http.patch(`${PATH}/${id}`).set(buyer.auth).send({ status: 'cancelled' });
const now = async (name: string, labels = {}) => figure(await scrape(app.url), name, labels);

test('counts each placed order once with its value, and no replay', async () => {
  const mug = await aProduct({ price: '12.50' });
  expect(await now('orders_created_total')).toBe(0);
  expect(await now('stock_ledger_mismatches')).toBe(0);
  await buy([[mug, 1]]).expect(201);
  for (let i = 0; i < 3; i += 1) await buy([[mug, 2]], 'a-key-of-this-test').expect(201);
  expect(await now('orders_created_total')).toBe(2);
  expect(await now('order_value_sum')).toBe(37.5);
  expect(await now('order_value_bucket', { le: '10' })).toBe(0);
  expect(await now('order_value_bucket', { le: '25' })).toBe(2);
});

test('counts refused checkouts by reason, each starting at 0', async () => {
  const reasons = [
    'address_not_found',
    'insufficient_stock',
    'mixed_stores',
    'product_not_found',
    'quantity_too_large',
    'total_changed',
    'total_too_large',
  ];
  const first = await scrape(app.url);
  expect(labelValues(first, 'orders_refused_total', 'reason')).toEqual(reasons);
  expect(figure(first, 'orders_refused_total')).toBe(0);

  const [one, other] = [await aProduct({ stock: 1 }), await aProduct({ price: '9999999999.99' })];
  await buy([[one, 2]]).expect(409);
  await buy([[{ id: 2 ** 31 }, 1]]).expect(404);
  const both = await buy([
    [one, 1],
    [other, 1],
  ]);
  expect(both.status).toBe(422);
  await buy([[other, 2]]).expect(422);
  await buy([
    [one, 2_147_483_647],
    [one, 1],
  ]).expect(422);
  await buy([[one, 1]], undefined, 0.01).expect(409);
  address_id = 2 ** 31;
  await buy([[one, 1]]).expect(404);

  const after = await scrape(app.url);
  for (const reason of reasons) {
    expect([reason, figure(after, 'orders_refused_total', { reason })]).toEqual([reason, 1]);
  }
  expect(figure(after, 'orders_created_total')).toBe(0);
});

test('counts each cancelled order once, by who cancelled it', async () => {
  const mug = await aProduct({ store: await aStore() });
  const { body } = await buy([[mug, 1]]).expect(201);
  await cancel(body.id).expect(204);
  await cancel(body.id).expect(409);
  expect(await now('orders_cancelled_total', { by: 'person' })).toBe(1);
  expect(await now('orders_cancelled_total', { by: 'shop' })).toBe(0);

  const unpaid = await buy([[mug, 1]]).expect(201);
  await write("UPDATE transactions SET created_at = '2001-01-01' WHERE id = ?", [unpaid.body.id]);
  await app.jobs.find(({ name }) => name === 'cancel_unpaid_orders')?.run();
  // Old orders of other tests in the same database may be included.
  expect(await now('orders_cancelled_total', { by: 'shop' })).toBeGreaterThanOrEqual(1);
  expect(await now('orders_cancelled_total', { by: 'person' })).toBe(1);
});
