import {
  anAddress,
  aProduct,
  aStore,
  aUser,
  eventually,
  lockedRow,
  retryWhileBusy,
  rows,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { mergeLines, totalOf } from './place-order';

const PATH = '/api/v1/transactions';
let app: TestApp;

beforeAll(async () => {
  app = await startApp(transactionService, { DB_POOL_SIZE: '25' });
});
afterAll(() => app.close());

const buy = (buyer: TestUser, body: unknown) =>
  app.http
    .post(PATH)
    .set(buyer.auth)
    .send(body as object);
const stockOf = async (id: number) =>
  (await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]))[0]?.stock;
const ordersOf = (buyer: TestUser) => rows<{ id: number }>('SELECT id FROM transactions WHERE user_id = ?', [buyer.id]);

async function aBuyer(): Promise<{ buyer: TestUser; address_id: number }> {
  const buyer = await aUser();
  return { buyer, address_id: (await anAddress(buyer)).id };
}

/** A refused order must leave nothing behind. */
async function expectNothingBought(buyer: TestUser, productIds: number[] = [], stock = 10): Promise<void> {
  expect(await ordersOf(buyer)).toEqual([]);
  for (const id of productIds) expect(await stockOf(id)).toBe(stock);
}

describe('rules', () => {
  test('repeated products are summed and sorted by id', () => {
    const items = [
      { product_id: 9, quantity: 1 },
      { product_id: 3, quantity: 2 },
      { product_id: 9, quantity: 4 },
    ];
    expect(mergeLines(items)).toEqual([
      { productId: 3, quantity: 2 },
      { productId: 9, quantity: 5 },
    ]);
  });

  test('totals are exact beyond the range of a double', () => {
    const lines = [
      { productId: 1, quantity: 2_147_483_647 },
      { productId: 2, quantity: 3 },
    ];
    expect(totalOf(lines, [{ price: 999_999_999_999n }, { price: 10n }])).toBe(999_999_999_999n * 2_147_483_647n + 30n);
  });
});

describe('a purchase', () => {
  test('writes the order, its lines and the address, and takes the stock', async () => {
    const { buyer, address_id } = await aBuyer();
    const store = await aStore();
    const pen = await aProduct({ store, name: 'Pen 🖊', price: '0.10', stock: 5 });
    const ink = await aProduct({ store, name: 'Ink', price: '19.99', stock: 5 });
    const response = await buy(buyer, {
      address_id,
      items: [
        { product_id: ink.id, quantity: 1 },
        { product_id: pen.id, quantity: 1 },
        { product_id: pen.id, quantity: 2 },
      ],
    }).expect(201);
    expect(response.headers.location).toBe(`${PATH}/${response.body.id}`);
    expect([await stockOf(pen.id), await stockOf(ink.id)]).toEqual([2, 4]);

    const shown = await app.http.get(`${PATH}/${response.body.id}`).set(buyer.auth).expect(200);
    expect(shown.body.transaction).toEqual({
      id: response.body.id,
      user_id: buyer.id,
      store_id: store.id,
      address_id,
      shipping_address: { label: 'Home', address: 'Main Street 1', city: 'Springfield', postal_code: '12345' },
      total: 20.29,
      status: 'pending',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
    });
    expect(Math.abs(Date.parse(shown.body.transaction.created_at) - Date.now())).toBeLessThan(60_000);
    const log = (product: { id: number; name: string }, product_price: number, quantity: number) =>
      expect.objectContaining({ product_id: product.id, product_name: product.name, product_price, quantity });
    expect(shown.body.logs).toEqual([log(pen, 0.1, 3), log(ink, 19.99, 1)]);
  });

  test('keeps its prices, names and address when those change or are deleted', async () => {
    const { buyer, address_id } = await aBuyer();
    const product = await aProduct({ name: 'Before', price: '5.00' });
    const { body } = await buy(buyer, { address_id, items: [{ product_id: product.id, quantity: 2 }] }).expect(201);
    await write("UPDATE addresses SET address = 'elsewhere' WHERE id = ?", [address_id]);
    await write('DELETE FROM addresses WHERE id = ?', [address_id]);
    await write('DELETE FROM products WHERE id = ?', [product.id]);
    const shown = await app.http.get(`${PATH}/${body.id}`).set(buyer.auth).expect(200);
    expect(shown.body.transaction).toMatchObject({
      address_id: null,
      total: 10,
      shipping_address: { address: 'Main Street 1' },
    });
    expect(shown.body.logs).toMatchObject([{ product_id: product.id, product_name: 'Before', product_price: 5 }]);
  });
});

describe('an expected total', () => {
  const basket = async () => {
    const { buyer, address_id } = await aBuyer();
    const product = await aProduct({ price: '0.10' });
    return { buyer, product, order: { address_id, items: [{ product_id: product.id, quantity: 3 }] } };
  };

  test('that is right, to the cent, is accepted', async () => {
    const { buyer, order } = await basket();
    await buy(buyer, { ...order, expected_total: 0.3 }).expect(201);
  });

  test.each([0, 0.29, 0.31, 9_999_999_999.99])(
    'of %s is refused with the true one, and its key stays free',
    async (expected_total) => {
      const { buyer, product, order } = await basket();
      const send = (total: number) => buy(buyer, { ...order, expected_total: total }).set('Idempotency-Key', 'k');
      const { body } = await send(expected_total).expect(409);
      expect(body).toMatchObject({ code: 'total_changed', total: 0.3 });
      await expectNothingBought(buyer, [product.id]);
      expect((await send(body.total).expect(201)).headers).not.toHaveProperty('idempotent-replayed');
    },
  );

  test.each([-1, 0.001, '0.30', null, 1e10])('of %s is invalid', async (expected_total) => {
    const { buyer, order } = await basket();
    const { body } = await buy(buyer, { ...order, expected_total }).expect(400);
    expect(body.errors).toMatchObject([{ in: 'body', path: 'expected_total' }]);
  });

  test('is compared after everything else: what cannot be ordered is reported first', async () => {
    const { buyer, product, order } = await basket();
    await write('UPDATE products SET stock = 2 WHERE id = ?', [product.id]);
    expect((await buy(buyer, { ...order, expected_total: 1 }).expect(409)).body.code).toBe('insufficient_stock');
  });
});

describe('stock beyond what a seller can set', () => {
  test('can be sold completely, up to the largest quantity of a line', async () => {
    const { buyer, address_id } = await aBuyer();
    const { id } = await aProduct({ price: '0.01', stock: 5_000_000_000 });
    const items = [2_147_483_646, 1].map((quantity) => ({ product_id: id, quantity }));
    const { body } = await buy(buyer, { address_id, items }).expect(201);
    expect(await stockOf(id)).toBe(5_000_000_000 - 2_147_483_647);
    const shown = await app.http.get(`${PATH}/${body.id}`).set(buyer.auth).expect(200);
    expect(shown.body).toMatchObject({ transaction: { total: 21_474_836.47 }, logs: [{ quantity: 2_147_483_647 }] });
  });
});

describe('is refused and leaves nothing when', () => {
  test.each([
    ['the body is missing', undefined, ''],
    ['there are no items', { address_id: 1, items: [] }, 'items'],
    [
      'there are more than 100 items',
      { address_id: 1, items: Array(101).fill({ product_id: 1, quantity: 1 }) },
      'items',
    ],
    ['a quantity is 0', { address_id: 1, items: [{ product_id: 1, quantity: 0 }] }, 'items.0.quantity'],
    ['a quantity is a fraction', { address_id: 1, items: [{ product_id: 1, quantity: 1.5 }] }, 'items.0.quantity'],
    ['a quantity is a string', { address_id: 1, items: [{ product_id: 1, quantity: '1' }] }, 'items.0.quantity'],
    ['the address is not an id', { address_id: 'x', items: [{ product_id: 1, quantity: 1 }] }, 'address_id'],
    ['a field is unknown', { address_id: 1, items: [{ product_id: 1, quantity: 1, price: 0 }] }, 'items.0.price'],
  ])('%s', async (_, body, path) => {
    const buyer = await aUser();
    const response = await buy(buyer, body).expect(400);
    expect(response.body.errors).toContainEqual(expect.objectContaining({ in: 'body', path }));
    await expectNothingBought(buyer);
  });

  test("the address is another user's or does not exist", async () => {
    const { buyer } = await aBuyer();
    const { address_id: foreign } = await aBuyer();
    const { id } = await aProduct();
    for (const address_id of [foreign, 999_999_999]) {
      const response = await buy(buyer, { address_id, items: [{ product_id: id, quantity: 1 }] }).expect(404);
      expect(response.body.code).toBe('address_not_found');
    }
    const both = await buy(buyer, { address_id: foreign, items: [{ product_id: 999_999_999, quantity: 1 }] }).expect(
      404,
    );
    expect(both.body.code).toBe('address_not_found');
    await expectNothingBought(buyer, [id]);
  });

  test('a product does not exist', async () => {
    const { buyer, address_id } = await aBuyer();
    const { id } = await aProduct();
    const items = [id, 999_999_999].map((product_id) => ({ product_id, quantity: 1 }));
    const response = await buy(buyer, { address_id, items }).expect(404);
    expect(response.body).toMatchObject({
      code: 'product_not_found',
      detail: 'There is no product 999999999.',
      products: [{ product_id: 999_999_999, requested: 1, available: 0 }],
    });
    await expectNothingBought(buyer, [id]);
  });

  test('the products are of two stores', async () => {
    const { buyer, address_id } = await aBuyer();
    const ids = [(await aProduct()).id, (await aProduct()).id];
    const items = ids.map((product_id) => ({ product_id, quantity: 1 }));
    expect((await buy(buyer, { address_id, items }).expect(422)).body).toMatchObject({
      code: 'mixed_stores',
      products: ids.map((product_id) => ({ product_id, requested: 1, available: 10 })),
    });
    await expectNothingBought(buyer, ids);
  });

  test('there is not enough stock, and the response lists the products', async () => {
    const { buyer, address_id } = await aBuyer();
    const store = await aStore();
    const [a, b, c] = [await aProduct({ store }), await aProduct({ store }), await aProduct({ store })];
    const items = [
      { product_id: a.id, quantity: 11 },
      { product_id: b.id, quantity: 1 },
      { product_id: c.id, quantity: 5 },
      { product_id: c.id, quantity: 6 },
    ];
    const { body } = await buy(buyer, { address_id, items }).expect(409);
    expect(body.code).toBe('insufficient_stock');
    expect(body.detail).toBe(`Not enough stock of product ${a.id} (10 left), product ${c.id} (10 left).`);
    expect(body.products).toEqual([
      { product_id: a.id, requested: 11, available: 10 },
      { product_id: c.id, requested: 11, available: 10 },
    ]);
    await expectNothingBought(buyer, [a.id, b.id, c.id]);
  });

  test('the total is too large to store', async () => {
    const { buyer, address_id } = await aBuyer();
    const { id } = await aProduct({ price: '9999999999.99' });
    expect((await buy(buyer, { address_id, items: [{ product_id: id, quantity: 2 }] }).expect(422)).body.code).toBe(
      'total_too_large',
    );
    await expectNothingBought(buyer, [id]);
    await buy(buyer, { address_id, items: [{ product_id: id, quantity: 1 }] }).expect(201);
  });

  test.each([10, 5_000_000_000])(
    'the total quantity of a product exceeds what an order line can hold, with %i in stock',
    async (stock) => {
      const { buyer, address_id } = await aBuyer();
      const { id } = await aProduct({ price: '0.01', stock });
      const items = [2_147_483_647, 2_147_483_646].map((quantity) => ({ product_id: id, quantity }));
      const { body } = await buy(buyer, { address_id, items }).expect(422);
      expect(body).toMatchObject({
        code: 'quantity_too_large',
        products: [{ product_id: id, requested: 4_294_967_293, available: stock }],
      });
      await expectNothingBought(buyer, [id], stock);
    },
  );

  test('there is no token', () => app.http.post(PATH).send({}).expect(401));
});

test('forty buyers of a locked product leave most of the connection pool to other products', async () => {
  const small = await startApp(transactionService, { DB_POOL_SIZE: '15' });
  const { buyer, address_id } = await aBuyer();
  const [hot, other] = [await aProduct(), await aProduct()];
  const order = ({ id }: { id: number }) =>
    small.http
      .post(PATH)
      .set(buyer.auth)
      .send({ address_id, items: [{ product_id: id, quantity: 1 }] });
  const busy = () => small.resources.db.stats().open - small.resources.db.stats().idle;
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, busy());
  }, 5);
  const lock = await lockedRow('products', hot.id);
  const waiting = Promise.all(Array.from({ length: 40 }, () => order(hot)));
  await eventually('some to wait for the lock', () => busy() >= 5);
  await order(other).expect(201);
  const responses = await waiting;
  clearInterval(watch);
  await lock.release();
  expect(new Set(responses.map(({ status, body }) => body.code ?? status))).toEqual(new Set(['database_busy']));
  expect(most).toBeLessThanOrEqual(6);
  await order(hot).expect(201);
  await small.close();
});

describe('concurrently', () => {
  const buyAfterWaiting = (...order: Parameters<typeof buy>) => retryWhileBusy(() => buy(...order));

  test('fifty buyers for twenty units: twenty succeed, thirty get insufficient_stock, no unit is left', async () => {
    const { id } = await aProduct({ stock: 20 });
    const buyers = await Promise.all(Array.from({ length: 50 }, aBuyer));
    const responses = await Promise.all(
      buyers.map(({ buyer, address_id }) =>
        buyAfterWaiting(buyer, { address_id, items: [{ product_id: id, quantity: 1 }] }),
      ),
    );
    const count = (status: number) => responses.filter((response) => response.status === status).length;
    expect([count(201), count(409)]).toEqual([20, 30]);
    expect(await stockOf(id)).toBe(0);
    const [sold] = await rows<{ sold: string }>('SELECT SUM(quantity) AS sold FROM product_logs WHERE product_id = ?', [
      id,
    ]);
    expect(Number(sold?.sold)).toBe(20);
  });

  test('a hundred rounds of twenty-five buyers for five units: five succeed each time', async () => {
    const buyers = await Promise.all(Array.from({ length: 25 }, aBuyer));
    for (let round = 0; round < 100; round += 1) {
      const { id } = await aProduct({ stock: 5 });
      const responses = await Promise.all(
        buyers.map(({ buyer, address_id }) =>
          buyAfterWaiting(buyer, { address_id, items: [{ product_id: id, quantity: 1 }] }),
        ),
      );
      const statuses = responses.map(({ status }) => status).sort();
      expect([round, statuses]).toEqual([round, [...Array(5).fill(201), ...Array(20).fill(409)]]);
      expect([round, await stockOf(id)]).toEqual([round, 0]);
    }
  });

  test('sixty baskets of the same products in opposite orders: no deadlock reaches a buyer, no stock is lost', async () => {
    const store = await aStore();
    const ids: number[] = [];
    for (let index = 0; index < 5; index += 1) ids.push((await aProduct({ store, stock: 1000 })).id);
    const buyers = await Promise.all(Array.from({ length: 60 }, aBuyer));
    const responses = await Promise.all(
      buyers.map(({ buyer, address_id }, index) => {
        const order = index % 2 === 0 ? ids : ids.toReversed();
        return buyAfterWaiting(buyer, { address_id, items: order.map((product_id) => ({ product_id, quantity: 2 })) });
      }),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
    for (const id of ids) expect(await stockOf(id)).toBe(1000 - 120);
    const metrics = await app.resources.metrics.registry.getSingleMetric('db_transaction_retries_total')?.get();
    expect(metrics?.values.find(({ labels }) => labels.reason === 'deadlock')?.value).toBe(0);
  });
});

test('with REQUIRE_VERIFIED_EMAIL only users with a verified email address can order', async () => {
  const strict = await startApp(transactionService, { REQUIRE_VERIFIED_EMAIL: 'true' });
  try {
    const { buyer, address_id } = await aBuyer();
    const product = await aProduct({ stock: 10 });
    const order = () =>
      strict.http
        .post(PATH)
        .set(buyer.auth)
        .send({ address_id, items: [{ product_id: product.id, quantity: 1 }] });
    expect((await order().expect(403)).body.code).toBe('email_not_verified');
    await expectNothingBought(buyer, [product.id]);
    await write('UPDATE users SET email_verified_at = NOW(3) WHERE id = ?', [buyer.id]);
    await order().expect(201);
  } finally {
    await strict.close();
  }
});
