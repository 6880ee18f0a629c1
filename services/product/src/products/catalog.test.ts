import { storeService } from '@shop/store';
import {
  aCategory,
  anAddress,
  aProduct,
  aStore,
  aUser,
  rows,
  startApp,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { productService } from '../container';

const PATH = '/api/v1/catalog/products';
let here: TestApp;
let there: TestApp;
let seller: TestUser;
let store: { id: number; name: string };

beforeAll(async () => {
  [here, there] = await Promise.all([startApp(productService), startApp(productService)]);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller, name: 'Tea & Co' });
});
afterAll(() => Promise.all([here.close(), there.close()]));

const browse = (query: object, app = here) => app.http.get(PATH).query(query);

async function names(query: object): Promise<string[]> {
  const { body } = await browse({ store_id: store.id, ...query }).expect(200);
  expect(body.pagination.total).toBe(body.data.length);
  return body.data.map(({ name }: { name: string }) => name);
}

describe('anybody, without a token,', () => {
  test("sees all stores' products, each with its store", async () => {
    const [mine, other] = [await aProduct({ store, name: 'Mug', price: '12.50', stock: 3 }), await aProduct()];
    const { body } = await browse({ limit: 100 }).expect(200);
    expect(body.data.map(({ id }: { id: number }) => id)).toEqual(expect.arrayContaining([mine.id, other.id]));
    const shown = await here.http.get(`${PATH}/${mine.id}`).expect(200);
    expect(shown.body).toEqual({
      id: mine.id,
      store_id: store.id,
      category_id: null,
      name: 'Mug',
      description: '',
      price: 12.5,
      stock: 3,
      image_url: null,
      created_at: expect.any(String),
      store: { id: store.id, name: 'Tea & Co' },
    });
    expect(body.data).toContainEqual(shown.body);
  });

  test('filters by words, category, price and store, and pages', async () => {
    const category = await aCategory();
    await aProduct({ store, name: 'Green tea', price: '3.00', category });
    await aProduct({ store, name: 'Pot', description: 'for tea', price: '30.00' });
    await aProduct({ store, name: 'Mug', price: '10.00', category });
    await aProduct({ name: 'tea of another store' });
    expect(await names({})).toEqual(['Mug', 'Pot', 'Green tea']);
    expect(await names({ search: 'TEA' })).toEqual(['Pot', 'Green tea']);
    expect(await names({ category_id: category.id })).toEqual(['Mug', 'Green tea']);
    expect(await names({ min_price: '3.01', max_price: 10 })).toEqual(['Mug']);
    const second = await browse({ store_id: store.id, page: 2, limit: 2 }).expect(200);
    expect(second.body.pagination).toEqual({ page: 2, limit: 2, total: 3 });
  });

  test.each(['page=0', 'limit=101', 'min_price=2&max_price=1', 'store_id=x', 'category_id=-1'])(
    'hears what is wrong with ?%s',
    async (query) => {
      expect((await here.http.get(`${PATH}?${query}`).expect(400)).body.code).toBe('invalid_request');
    },
  );

  test('finds no product that is not there', async () => {
    await here.http.get(`${PATH}/999999999`).expect(404);
    await here.http.get(`${PATH}/x`).expect(400);
    await here.http.post(PATH).send({}).expect(405);
  });
});

test('answers come from the cache, on every instance', async () => {
  const { id } = await aProduct({ store });
  for (const path of [`${PATH}/${id}`, `${PATH}?store_id=${store.id}`]) {
    const first = await here.http.get(path).expect(200).expect('X-Cache', 'MISS');
    const again = await there.http.get(path).expect(200).expect('X-Cache', 'HIT');
    expect(again.text).toBe(first.text);
  }
});

describe.each([
  ['with Redis', {}],
  ['without Redis', { REDIS_HOST: '' }],
])('%s', (_, settings) => {
  let selling: TestApp[];
  let ordering: TestApp;
  let storing: TestApp;

  beforeAll(async () => {
    [ordering, storing, ...selling] = await Promise.all([
      startApp(transactionService, settings),
      startApp(storeService, settings),
      startApp(productService, settings),
      startApp(productService, settings),
    ]);
  });
  afterAll(() => Promise.all([ordering, storing, ...selling].map((app) => app.close())));

  test('500 writes of all kinds: the very next read from another instance shows each', async () => {
    const buyer = await aUser();
    const { id: address_id } = await anAddress(buyer);
    const { id } = await aProduct({ store, stock: 1000, price: '5.00' });
    const items = [{ product_id: id, quantity: 1 }];
    const at = { store_id: store.id, min_price: '5.00', max_price: '5.99' };
    let expected = { stock: 1000, price: 5, store: { id: store.id, name: store.name } };
    let order = 0;
    const kinds = [
      async (app: TestApp, round: number) => {
        expected = { ...expected, price: 5 + (round % 100) / 100 };
        await app.http.put(`/api/v1/products/${id}`).set(seller.auth).send({ price: expected.price }).expect(204);
      },
      async () => {
        expected = { ...expected, stock: expected.stock - 1 };
        const bought = await ordering.http.post('/api/v1/transactions').set(buyer.auth).send({ address_id, items });
        order = bought.body.id;
      },
      async () => {
        expected = { ...expected, stock: expected.stock + 1 };
        await ordering.http
          .patch(`/api/v1/transactions/${order}`)
          .set(buyer.auth)
          .send({ status: 'cancelled' })
          .expect(204);
      },
      async (_app: TestApp, round: number) => {
        expected = { ...expected, store: { id: store.id, name: `Tea ${round}` } };
        await storing.http
          .put(`/api/v1/stores/${store.id}`)
          .set(seller.auth)
          .send({ name: expected.store.name })
          .expect(204);
      },
      async (app: TestApp, round: number) => {
        expected = { ...expected, stock: 1000 + round };
        await app.http.put(`/api/v1/products/${id}`).set(seller.auth).send({ stock: expected.stock }).expect(204);
      },
    ];
    for (let round = 0; round < 500; round += 1) {
      const [writer, reader] = (round % 2 ? selling : selling.toReversed()) as [TestApp, TestApp];
      await kinds[round % kinds.length]?.(writer, round);
      const [list, shown] = await Promise.all([browse(at, reader), reader.http.get(`${PATH}/${id}`)]);
      expect([round, list.body.data]).toEqual([round, [expect.objectContaining(expected)]]);
      expect([round, shown.body]).toEqual([round, expect.objectContaining(expected)]);
    }
  });

  test('what newly matches a filter is in it at once, and what is deleted is gone', async () => {
    const [writer, reader] = selling as [TestApp, TestApp];
    const cheap = { store_id: store.id, max_price: '1.00' };
    const { id } = await aProduct({ store, price: '2.00' });
    expect((await browse(cheap, reader).expect(200)).body.data).toEqual([]);
    await writer.http.put(`/api/v1/products/${id}`).set(seller.auth).send({ price: 1 }).expect(204);
    expect((await browse(cheap, reader).expect(200)).body.data).toMatchObject([{ id }]);
    await writer.http.delete(`/api/v1/products/${id}`).set(seller.auth).expect(204);
    expect((await browse(cheap, reader).expect(200)).body.data).toEqual([]);
    await reader.http.get(`${PATH}/${id}`).expect(404);
  });
});

describe('the rows of a stock', () => {
  const account = (id: number) =>
    rows<{ reason: string; quantity: number }>(
      'SELECT reason, quantity FROM stock_movements WHERE product_id = ? ORDER BY id',
      [id],
    );
  const add = (stock?: number) =>
    here.http.post('/api/v1/products').set(seller.auth).send({ name: 'Mug', price: 1, stock });
  const set = (id: number, changes: object, app = here) =>
    app.http.put(`/api/v1/products/${id}`).set(seller.auth).send(changes);

  test('say what it began with and by how much each edit changed it', async () => {
    const { body } = await add(7).expect(201);
    await set(body.id, { stock: 10 }).expect(204);
    await set(body.id, { stock: 10 }).expect(204);
    await set(body.id, { name: 'Cup' }).expect(204);
    await set(body.id, { stock: 1, price: 2 }).expect(204);
    expect(await account(body.id)).toEqual([
      { reason: 'initial', quantity: 7 },
      { reason: 'edit', quantity: 3 },
      { reason: 'edit', quantity: -9 },
    ]);
  });

  test('are written with it or not at all', async () => {
    const { body } = await add(7).expect(201);
    await set(body.id, { stock: 9, category_id: 999_999_999 }).expect(422);
    expect(await account(body.id)).toEqual([{ reason: 'initial', quantity: 7 }]);
    expect((await here.http.get(`${PATH}/${body.id}`)).body.stock).toBe(7);
  });

  test('add up under parallel edits, orders and cancellations', async () => {
    const ordering = await startApp(transactionService);
    try {
      const { body } = await add(100).expect(201);
      const buyer = await aUser();
      const { id: address_id } = await anAddress(buyer);
      const items = [{ product_id: body.id, quantity: 2 }];
      await Promise.all(
        Array.from({ length: 40 }, async (_, turn) => {
          if (turn % 2) return set(body.id, { stock: 50 + turn }, turn % 4 === 1 ? here : there).expect(204);
          const order = await ordering.http.post('/api/v1/transactions').set(buyer.auth).send({ address_id, items });
          expect(order.status).toBe(201);
          if (turn % 4) return undefined;
          const cancel = ordering.http.patch(`/api/v1/transactions/${order.body.id}`).set(buyer.auth);
          return cancel.send({ status: 'cancelled' }).expect(204);
        }),
      );
      const [sum] = await rows<{ stock: number; moved: string; sold: string }>(
        `SELECT stock, (SELECT SUM(quantity) FROM stock_movements WHERE product_id = p.id) AS moved,
                (SELECT SUM(quantity) FROM product_logs WHERE product_id = p.id) AS sold
         FROM products p WHERE id = ?`,
        [body.id],
      );
      expect(sum?.sold).toBe('40');
      expect(sum?.stock).toBe(Number(sum?.moved) - Number(sum?.sold));
    } finally {
      await ordering.close();
    }
  });
});
