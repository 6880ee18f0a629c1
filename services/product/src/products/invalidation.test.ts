import { randomUUID } from 'node:crypto';
import {
  aPng,
  aProduct,
  aStore,
  aUser,
  holdingInvalidation,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { productService } from '../service';

const PATH = '/api/v1/products';
let app: TestApp;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  app = await startApp(productService);
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(() => app.close());

const put = (id: number, body: object) => app.http.put(`${PATH}/${id}`).set(seller.auth).send(body);
const remove = (id: number, by = seller) => app.http.delete(`${PATH}/${id}`).set(by.auth);

describe('a write waits for its cache invalidation', () => {
  const scopesOf = (id: number) => [`product:${id}`, `store:${store.id}`, `owner:${seller.id}`, 'products'].sort();

  test('adding a product', async () => {
    const { result, scopes } = await holdingInvalidation(app, () =>
      app.http.post(PATH).set(seller.auth).send({ name: 'Tea', price: 1 }),
    );
    expect([result.status, scopes]).toEqual([201, scopesOf(result.body.id)]);
  });

  test.each([
    ['added', () => app.http.post(PATH).send({ name: 'Tea', price: 1 }), 201],
    [
      'added with an image',
      () => app.http.post(PATH).field({ name: 'Tea', price: 1 }).attach('image', aPng(), 'a.png'),
      201,
    ],
  ])(
    'a replay of a product that was %s, because the first attempt may have died before',
    async (_, request, status) => {
      const key = randomUUID();
      const send = () => request().set(seller.auth).set('Idempotency-Key', key);
      const { body } = await send().expect(status);
      const { result, scopes } = await holdingInvalidation(app, send);
      expect([result.body, result.get('Idempotent-Replayed'), scopes]).toEqual([body, 'true', scopesOf(body.id)]);
    },
  );

  test('a stock change, and its replay', async () => {
    const { id } = await aProduct({ store, stock: 10 });
    const send = () =>
      app.http.post(`${PATH}/${id}/stock`).set(seller.auth).set('Idempotency-Key', 'k').send({ change: 1 });
    for (const replayed of [undefined, 'true']) {
      const { result, scopes } = await holdingInvalidation(app, send);
      expect([result.body, result.get('Idempotent-Replayed'), scopes]).toEqual([{ stock: 11 }, replayed, scopesOf(id)]);
    }
  });

  test('setting and removing an image, and removing it again', async () => {
    const { id } = await aProduct({ store });
    const image = `${PATH}/${id}/image`;
    const set = () => app.http.put(image).set(seller.auth).attach('image', aPng(), 'a.png');
    const unset = () => app.http.delete(image).set(seller.auth);
    for (const [change, status] of [
      [set, 200],
      [unset, 204],
      [unset, 204],
    ] as const) {
      const { result, scopes } = await holdingInvalidation<{ status: number }>(app, change);
      expect([result.status, scopes]).toEqual([status, scopesOf(id)]);
    }
  });

  test.each([
    ['a price', { price: 2 }],
    ['the stock', { stock: 3 }],
    ['the stock to its current value', { stock: 10 }],
  ])('setting %s', async (_, body) => {
    const { id } = await aProduct({ store, stock: 10 });
    const { result, scopes } = await holdingInvalidation(app, () => put(id, body));
    expect([result.status, scopes]).toEqual([204, scopesOf(id)]);
  });

  test('deleting a product', async () => {
    const { id } = await aProduct({ store });
    const { result, scopes } = await holdingInvalidation(app, () => remove(id));
    expect([result.status, scopes]).toEqual([204, scopesOf(id)]);
  });

  test('deleting a product that no longer exists', async () => {
    const { id } = await aProduct({ store });
    await write('DELETE FROM products WHERE id = ?', [id]);
    const { result, scopes } = await holdingInvalidation(app, () => remove(id));
    expect([result.status, scopes]).toEqual([404, ['epoch']]);
  });
});

describe('when a process died between its commit and the invalidation, the retry invalidates', () => {
  const catalog = (path: string) => app.http.get(`/api/v1/catalog/products${path}`);
  const cached = async (id: number) => {
    await catalog(`/${id}`).expect(200);
    await catalog(`?store_id=${store.id}&limit=100`).expect(200);
  };

  test('a price', async () => {
    const { id } = await aProduct({ store, price: '1.00' });
    await cached(id);
    await write('UPDATE products SET price = 2 WHERE id = ?', [id]);
    await put(id, { price: 2 }).expect(204);
    expect((await catalog(`/${id}`)).body.price).toBe(2);
  });

  test('an update with If-Match: the client gets a 412, and then sees what the first attempt has written', async () => {
    const { id } = await aProduct({ store, price: '1.00' });
    const read = () => app.http.get(`${PATH}/${id}`).set(seller.auth);
    const { etag = '' } = (await read().expect(200)).headers;
    await write('UPDATE products SET price = 2 WHERE id = ?', [id]);
    await put(id, { price: 2 }).set('If-Match', etag).expect(412);
    const { body, headers } = await read();
    expect(body.price).toBe(2);
    await put(id, { price: 3 })
      .set('If-Match', headers.etag ?? '')
      .expect(204);
  });

  test('a stock', async () => {
    const { id } = await aProduct({ store, stock: 1 });
    await cached(id);
    await write('UPDATE products SET stock = 2 WHERE id = ?', [id]);
    await put(id, { stock: 2 }).expect(204);
    expect((await catalog(`/${id}`)).body.stock).toBe(2);
  });

  test.each(['seller', 'admin'] as const)('a delete by the %s', async (who) => {
    const by = who === 'seller' ? seller : await aUser({ role: 'admin' });
    const { id } = await aProduct({ store });
    await cached(id);
    await write('DELETE FROM products WHERE id = ?', [id]);
    await remove(id, by).expect(404);
    await catalog(`/${id}`).expect(404);
    const { body } = await catalog(`?store_id=${store.id}&limit=100`);
    expect(body.data.map((product: { id: number }) => product.id)).not.toContain(id);
  });
});
