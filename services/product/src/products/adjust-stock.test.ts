import {
  anAddress,
  aProduct,
  aStore,
  aUser,
  retryWhileBusy,
  rows,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { productService } from '../service';

const MAX = 2_147_483_647;
let app: TestApp;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  app = await startApp(productService);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(() => app.close());

const change = (id: number | string, body: object, by = seller) =>
  app.http.post(`/api/v1/products/${id}/stock`).set(by.auth).send(body);
const stockOf = async (id: number) =>
  (await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]))[0]?.stock;
const movementsOf = (id: number) =>
  rows('SELECT reason, quantity, note FROM stock_movements WHERE product_id = ? ORDER BY id', [id]);

test('adds and takes, with a movement for each', async () => {
  const { id } = await aProduct({ store, stock: 10 });
  const note = ` ${'🏺'.repeat(255)} `;
  expect((await change(id, { change: -3, note }).expect(200)).body).toEqual({ stock: 7 });
  expect((await change(id, { change: 5, note: '  ' }).expect(200)).body).toEqual({ stock: 12 });
  expect((await change(id, { change: -12 }).expect(200)).body).toEqual({ stock: 0 });
  expect(await movementsOf(id)).toEqual([
    { reason: 'initial', quantity: 10, note: null },
    { reason: 'edit', quantity: -3, note: note.trim() },
    { reason: 'edit', quantity: 5, note: null },
    { reason: 'edit', quantity: -12, note: null },
  ]);
  const { body } = await app.http.get(`/api/v1/catalog/products/${id}`).expect(200);
  expect(body.stock).toBe(0);
});

test.each([-11, -3_000_000_000])('taking %s of 10 is refused with what is there', async (amount) => {
  const { id } = await aProduct({ store, stock: 10 });
  const { body } = await change(id, { change: amount }).expect(409);
  expect(body).toMatchObject({
    code: 'insufficient_stock',
    products: [{ product_id: id, requested: -amount, available: 10 }],
  });
  expect(await stockOf(id)).toBe(10);
  expect(await movementsOf(id)).toHaveLength(1);
});

test('adding is possible up to the maximum', async () => {
  const { id } = await aProduct({ store, stock: MAX - 2 });
  for (const amount of [3, 4_000_000_000, Number.MAX_SAFE_INTEGER]) {
    expect((await change(id, { change: amount }).expect(422)).body.code).toBe('stock_too_large');
  }
  expect((await change(id, { change: 2 }).expect(200)).body).toEqual({ stock: MAX });
  expect(await movementsOf(id)).toHaveLength(2);
});

test('a stock that cancelled orders have raised over the maximum can be reduced', async () => {
  const { id } = await aProduct({ store, stock: MAX + 10 });
  expect((await change(id, { change: -1 }).expect(200)).body).toEqual({ stock: MAX + 9 });
});

test.each([
  [{}, 'change', 'required'],
  [{ change: 0 }, 'change', 'invalid_value'],
  [{ change: 1.5 }, 'change', 'invalid_type'],
  [{ change: '1' }, 'change', 'invalid_type'],
  [{ change: null }, 'change', 'invalid_type'],
  [{ change: 1, note: 'x'.repeat(256) }, 'note', 'too_big'],
  [{ change: 1, note: 7 }, 'note', 'invalid_type'],
  [{ change: 1, stock: 7 }, 'stock', 'unknown_field'],
])('%j is invalid', async (body, path, code) => {
  const { id } = await aProduct({ store });
  expect((await change(id, body).expect(400)).body.errors).toMatchObject([{ in: 'body', path, code }]);
});

test("another user's product is 403, an unknown one 404, and an admin may", async () => {
  const { id } = await aProduct({ store, stock: 1 });
  await change(id, { change: 1 }, await aUser()).expect(403);
  await change(999_999_999, { change: 1 }).expect(404);
  await change(id, { change: 1 }, await aUser({ role: 'admin' })).expect(200);
  expect(await stockOf(id)).toBe(2);
});

test('beside orders and cancellations no unit is lost, and the movements add up', async () => {
  const { id } = await aProduct({ store, stock: 100 });
  const buyer = await aUser();
  const address_id = (await anAddress(buyer)).id;
  const ordering = await startApp(transactionService);
  const orders = '/api/v1/transactions';
  try {
    await Promise.all(
      Array.from({ length: 16 }, async (_, turn) => {
        const amount = turn % 2 ? 4 : -3;
        expect((await retryWhileBusy(() => change(id, { change: amount }))).status).toBe(200);
        const order = await retryWhileBusy(() =>
          ordering.http
            .post(orders)
            .set(buyer.auth)
            .send({ address_id, items: [{ product_id: id, quantity: 1 }] }),
        );
        expect(order.status).toBe(201);
        if (turn % 3) return;
        const cancel = () =>
          ordering.http.patch(`${orders}/${order.body.id}`).set(buyer.auth).send({ status: 'cancelled' });
        expect((await retryWhileBusy(cancel)).status).toBe(204);
      }),
    );
    expect(await stockOf(id)).toBe(100 + 8 * 4 - 8 * 3 - 16 + 6);
    const [sum] = await rows<{ moved: string; sold: string }>(
      `SELECT (SELECT SUM(quantity) FROM stock_movements WHERE product_id = ?) AS moved,
              (SELECT SUM(quantity) FROM product_logs WHERE product_id = ?) AS sold`,
      [id, id],
    );
    expect(Number(sum?.moved) - Number(sum?.sold)).toBe(await stockOf(id));
  } finally {
    await ordering.close();
  }
});

test('a replay needs neither the stock nor the product', async () => {
  const { id } = await aProduct({ store, stock: 3 });
  const take = () => change(id, { change: -3 }).set('Idempotency-Key', 'k');
  await take().expect(200);
  expect((await take().expect(200)).body).toEqual({ stock: 0 });
  await write('DELETE FROM products WHERE id = ?', [id]);
  expect((await take().expect(200).expect('Idempotent-Replayed', 'true')).body).toEqual({ stock: 0 });
});
