import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  anAddress,
  aPng,
  aStore,
  aUser,
  eventually,
  retryWhileBusy,
  rows,
  startApp,
  startProxy,
  type TcpProxy,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { productService } from '../service';

const PATH = '/api/v1/products';
let here: TestApp;
let there: TestApp;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  [here, there] = await Promise.all([startApp(productService), startApp(productService)]);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(() => Promise.all([here.close(), there.close()]));

describe('the stock movements of a product', () => {
  const movements = (id: number) =>
    rows<{ reason: string; quantity: number }>(
      'SELECT reason, quantity FROM stock_movements WHERE product_id = ? ORDER BY id',
      [id],
    );
  const add = (stock?: number) => here.http.post(PATH).set(seller.auth).send({ name: 'Mug', price: 1, stock });
  const set = (id: number, changes: object, app = here) => app.http.put(`${PATH}/${id}`).set(seller.auth).send(changes);

  test('record the initial stock and how much each edit changed it', async () => {
    const { body } = await add(7).expect(201);
    await set(body.id, { stock: 10 }).expect(204);
    await set(body.id, { stock: 10 }).expect(204);
    await set(body.id, { name: 'Cup' }).expect(204);
    await set(body.id, { stock: 1, price: 2 }).expect(204);
    expect(await movements(body.id)).toEqual([
      { reason: 'initial', quantity: 7 },
      { reason: 'edit', quantity: 3 },
      { reason: 'edit', quantity: -9 },
    ]);
  });

  test('are written together with the stock or not at all', async () => {
    const { body } = await add(7).expect(201);
    await set(body.id, { stock: 9, category_id: 999_999_999 }).expect(422);
    expect(await movements(body.id)).toEqual([{ reason: 'initial', quantity: 7 }]);
    expect((await here.http.get(`${PATH}/${body.id}`).set(seller.auth)).body.stock).toBe(7);
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
          if (turn % 2) {
            const app = turn % 4 === 1 ? here : there;
            expect((await retryWhileBusy(() => set(body.id, { stock: 50 + turn }, app))).status).toBe(204);
            return;
          }
          const orders = '/api/v1/transactions';
          const order = await retryWhileBusy(() =>
            ordering.http.post(orders).set(buyer.auth).send({ address_id, items }),
          );
          expect(order.status).toBe(201);
          if (turn % 4) return;
          const cancelled = await retryWhileBusy(() =>
            ordering.http.patch(`${orders}/${order.body.id}`).set(buyer.auth).send({ status: 'cancelled' }),
          );
          expect(cancelled.status).toBe(204);
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

describe("when the database's response to adding a product is lost", () => {
  let proxy: TcpProxy;
  let app: TestApp;

  beforeEach(async () => {
    proxy = await startProxy({
      host: process.env.SHOP_TEST_DB_HOST ?? '',
      port: Number(process.env.SHOP_TEST_DB_PORT),
    });
    app = await startApp(productService, { DB_PORT: String(proxy.port), DB_POOL_SIZE: '1' });
  });
  afterEach(async () => {
    await app.close();
    await proxy.close();
  });

  function loseResponseOnceTo(words: string): void {
    let armed = true;
    let losing = false;
    proxy.toServer = (bytes) => {
      losing = armed && bytes.includes(words);
      if (losing) armed = false;
      return bytes;
    };
    proxy.toClient = (bytes) => {
      const lost = losing;
      losing = false;
      return lost ? undefined : bytes;
    };
  }

  const add = () =>
    app.http
      .post(PATH)
      .set(seller.auth)
      .field({ name: 'Mug', price: '1', stock: '7' })
      .attach('image', aPng(), 'a.png');
  const written = () =>
    rows<{ image: string; reason: string; quantity: number }>(
      `SELECT p.image, m.reason, m.quantity
       FROM products p LEFT JOIN stock_movements m ON m.product_id = p.id WHERE p.store_id = ?`,
      [store.id],
    );
  const imageIsThere = (image = '') => existsSync(join(process.env.SHOP_TEST_UPLOADS ?? '', image));

  test('at the commit: responds 503 and keeps the image, because the product was written', async () => {
    await app.http.get('/ready').expect(200);
    loseResponseOnceTo('COMMIT');
    await add().expect(503);
    const products = await written();
    expect(products).toEqual([{ image: expect.any(String), reason: 'initial', quantity: 7 }]);
    expect(imageIsThere(products[0]?.image)).toBe(true);
  });

  test('at the commit: the next read from any replica sees the product nevertheless', async () => {
    const read = () => there.http.get(PATH).set(seller.auth).expect(200);
    expect((await read()).body.data).toEqual([]);
    await eventually('a hit', async () => (await read()).headers['x-cache'] === 'HIT');
    await app.http.get('/ready').expect(200);
    loseResponseOnceTo('COMMIT');
    await add().expect(503);
    expect((await read()).body.data).toMatchObject([{ name: 'Mug', stock: 7 }]);
  });

  test.each(['INSERT INTO products', 'INSERT INTO stock_movements'])(
    'at %s: the product is written once',
    async (words) => {
      await app.http.get('/ready').expect(200);
      loseResponseOnceTo(words);
      await add().expect(201);
      const products = await written();
      expect(products).toEqual([{ image: expect.any(String), reason: 'initial', quantity: 7 }]);
      expect(imageIsThere(products[0]?.image)).toBe(true);
    },
  );
});
