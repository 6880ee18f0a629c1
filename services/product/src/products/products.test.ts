import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  aCategory,
  aPng,
  aProduct,
  aStore,
  aUser,
  rows,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { productService } from '../service';

const PATH = '/api/v1/products';
let app: TestApp;
let folder: string;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-products-'));
  app = await startApp(productService, { UPLOAD_PATH: folder });
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(() => app.close());

const row = async (id: number) => (await rows<Record<string, unknown>>('SELECT * FROM products WHERE id = ?', [id]))[0];
const imagesOf = async (user: TestUser): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(`${user.id}_`));
describe('GET /api/v1/products/:id', () => {
  test('shows a product to its seller and to an admin, with its exact price', async () => {
    const { id } = await aProduct({ store, price: '0.10', name: 'Tea' });
    for (const { auth } of [seller, await aUser({ role: 'admin' })]) {
      const { body } = await app.http.get(`${PATH}/${id}`).set(auth).expect(200);
      expect(body).toMatchObject({ id, store_id: store.id, name: 'Tea', price: 0.1, stock: 10, image_url: null });
    }
  });

  test('responds 403 to another user, even if cached, 404 to an unknown id, 400 to a bad one, 401 without a token', async () => {
    const { id } = await aProduct({ store });
    const { auth } = await aUser();
    await app.http.get(`${PATH}/${id}`).set(seller.auth).expect(200);
    await app.http.get(`${PATH}/${id}`).set(auth).expect(403);
    await app.http.get(`${PATH}/999999999`).set(auth).expect(404);
    await app.http.get(`${PATH}/x`).set(auth).expect(400);
    await app.http.get(`${PATH}/${id}`).expect(401);
  });
});

const put = (id: number, body: object, by = seller) => app.http.put(`${PATH}/${id}`).set(by.auth).send(body);

describe('PUT /api/v1/products/:id', () => {
  test('changes the given fields and nothing else', async () => {
    const category = await aCategory();
    const { id } = await aProduct({ store, name: 'Tea', description: 'old', price: '1.00', stock: 3 });
    const base = { name: 'Tea', description: 'old', price: '1.00', stock: 3, category_id: null };
    expect(await row(id)).toMatchObject(base);
    const steps: [object, object][] = [
      [{ description: '' }, { description: '' }],
      [{ price: 19.99 }, { price: '19.99' }],
      [{ stock: 0 }, { stock: 0 }],
      [{ name: ' Coffee ' }, { name: 'Coffee' }],
      [{ category_id: category.id }, { category_id: category.id }],
      [{ price: 0 }, { price: '0.00' }],
      [
        { category_id: null, stock: 5 },
        { category_id: null, stock: 5 },
      ],
    ];
    let expected: object = base;
    for (const [change, effect] of steps) {
      await put(id, change).expect(204, '');
      expected = { ...expected, ...effect };
      expect(await row(id)).toMatchObject(expected);
    }
  });

  test('responds 204 when nothing changes', async () => {
    const { id } = await aProduct({ store, name: 'Tea' });
    await put(id, { name: 'Tea' }).expect(204);
  });

  test.each([
    {},
    { name: '' },
    { price: null },
    { stock: 1.5 },
    { store_id: 1 },
    { image_url: '/uploads/x' },
    { category_id: 0 },
  ])('responds 400 to %j', async (body) => {
    const { id } = await aProduct({ store, name: 'Tea' });
    await put(id, body).expect(400);
    expect(await row(id)).toMatchObject({ name: 'Tea', store_id: store.id });
  });

  test('responds 422 to an unknown category, 403 to another user, 404 to an unknown product, 401 without a token', async () => {
    const { id } = await aProduct({ store, name: 'Tea' });
    const { body } = await put(id, { category_id: 999_999_999, name: 'x' }).expect(422);
    expect(body.code).toBe('category_not_found');
    await put(id, { name: 'x' }, await aUser()).expect(403);
    await put(999_999_999, { name: 'x' }).expect(404);
    await app.http.put(`${PATH}/${id}`).send({ name: 'x' }).expect(401);
    expect(await row(id)).toMatchObject({ name: 'Tea', category_id: null });
    await put(id, { name: 'Admin was here' }, await aUser({ role: 'admin' })).expect(204);
  });
});

describe('PUT with If-Match', () => {
  const etagOf = async (id: number) =>
    (await app.http.get(`${PATH}/${id}`).set(seller.auth).expect(200)).headers.etag ?? '';

  test.each([{ name: 'Mug' }, { stock: 7 }])('of two that write %j at once, one takes effect', async (change) => {
    for (let round = 0; round < 3; round += 1) {
      const { id } = await aProduct({ store });
      const etag = await etagOf(id);
      const both = await Promise.all([1, 2].map(() => put(id, change).set('If-Match', etag)));
      expect(both.map(({ status }) => status).sort()).toEqual([204, 412]);
    }
  });

  test('notices every field that the product shows, such as its stock, but not the name of its store', async () => {
    const { id } = await aProduct({ store, stock: 3 });
    const etag = await etagOf(id);
    await put(id, { stock: 2 }).expect(204);
    await put(id, { name: 'Mug' }).set('If-Match', etag).expect(412);
    const current = await etagOf(id);
    await write('UPDATE stores SET name = ? WHERE id = ?', ['Another name', store.id]);
    await put(id, { name: 'Mug' }).set('If-Match', current).expect(204);
  });
});

describe('DELETE /api/v1/products/:id', () => {
  const remove = (id: number, by = seller) => app.http.delete(`${PATH}/${id}`).set(by.auth);

  test('deletes the product and its image; past orders keep their lines', async () => {
    const { body } = await app.http
      .post(PATH)
      .set(seller.auth)
      .field({ name: 'Tea', price: '1' })
      .attach('image', aPng(), 'a.png')
      .expect(201);
    const transaction = await write(
      `INSERT INTO transactions (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total)
       VALUES (?, ?, '', '', '', '', 1)`,
      [seller.id, store.id],
    );
    await write(
      'INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity) VALUES (?, ?, ?, 1, 1)',
      [transaction, body.id, 'Tea'],
    );
    await remove(body.id).expect(204, '');
    expect(await row(body.id)).toBeUndefined();
    expect(await imagesOf(seller)).toEqual([]);
    expect(await rows('SELECT id FROM product_logs WHERE product_id = ?', [body.id])).toHaveLength(1);
    await app.http.get(`${PATH}/${body.id}`).set(seller.auth).expect(404);
    await remove(body.id).expect(404);
  });

  test('responds 403 to another user and 401 without a token; an admin may delete', async () => {
    const { id } = await aProduct({ store });
    await remove(id, await aUser()).expect(403);
    await app.http.delete(`${PATH}/${id}`).expect(401);
    expect(await row(id)).toBeDefined();
    await remove(id, await aUser({ role: 'admin' })).expect(204);
  });

  test('exactly one of two concurrent deletes succeeds', async () => {
    const { id } = await aProduct({ store });
    const responses = await Promise.all([remove(id), remove(id)]);
    expect(responses.map(({ status }) => status).sort()).toEqual([204, 404]);
  });
});
