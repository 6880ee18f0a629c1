import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { storageSettings } from '@shop/core/storage';
import { createUploadStorage } from '@shop/shop';
import {
  aCategory,
  aGif,
  aPart,
  aPdf,
  aPng,
  aStore,
  aUser,
  multipartBody,
  multipartType,
  rows,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { productService } from '../service';
import { addProduct } from './add-product';
import { newProduct } from './products.schemas';

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

const add = (body: object, by = seller) => app.http.post(PATH).set(by.auth).send(body);
const row = async (id: number) => (await rows<Record<string, unknown>>('SELECT * FROM products WHERE id = ?', [id]))[0];
const imagesOf = async (user: TestUser): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(`${user.id}_`));
const productCount = async (): Promise<number> =>
  (await rows('SELECT id FROM products WHERE store_id = ?', [store.id])).length;

describe('POST /api/v1/products', () => {
  test('adds a product from JSON, with defaults, to the oldest store', async () => {
    await aStore({ owner: seller });
    const { body, headers } = await add({ name: '  Tea 🍵 ', price: 12.5 }).expect(201);
    expect(body).toEqual({
      id: expect.any(Number),
      store_id: store.id,
      category_id: null,
      name: 'Tea 🍵',
      description: '',
      price: 12.5,
      stock: 0,
      image_url: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(headers.location).toBe(`${PATH}/${body.id}`);
    expect(await row(body.id)).toMatchObject({ name: 'Tea 🍵', price: '12.50', stock: 0, image: null });
  });

  test('adds a product with an image from a form: row, file and URL', async () => {
    const category = await aCategory();
    const { body } = await app.http
      .post(PATH)
      .set(seller.auth)
      .field({
        name: 'Tea',
        price: '9999999999.99',
        description: 'Green',
        stock: '7',
        category_id: category.id,
        store_id: store.id,
      })
      .attach('image', aPng(), 'tea.png')
      .expect(201);
    expect(body).toMatchObject({ price: 9999999999.99, stock: 7, category_id: category.id, description: 'Green' });
    expect(body.image_url).toMatch(new RegExp(`^/uploads/${seller.id}_[0-9a-f]{32}\\.png$`));
    expect(await readFile(path.join(folder, path.basename(body.image_url)))).toEqual(aPng());
    expect(await row(body.id)).toMatchObject({ price: '9999999999.99', image: path.basename(body.image_url) });
  });

  test('responds with what a read of the product shows', async () => {
    const { id: category_id } = await aCategory();
    const given = { name: 'Tea 🍵 é', description: ' Green\r\n\ttea ', price: 0.1, stock: 2_147_483_647, category_id };
    for (const product of [given, { name: 'x', price: 9999999999.99 }]) {
      const { body } = await add(product).expect(201);
      expect((await app.http.get(`${PATH}/${body.id}`).set(seller.auth).expect(200)).body).toEqual(body);
    }
  });

  test('accepts a form without an image', async () => {
    const { body } = await app.http.post(PATH).set(seller.auth).field({ name: 'Tea', price: '0' }).expect(201);
    expect(body).toMatchObject({ price: 0, image_url: null });
  });

  test('a form field for no category is empty, as a browser sends it', async () => {
    const form = { name: 'Tea', price: '1', category_id: '' };
    const { body } = await app.http.post(PATH).set(seller.auth).field(form).expect(201);
    expect(body.category_id).toBeNull();
  });

  test.each([
    [{}, ['name', 'price']],
    [{ name: ' ', price: -1, stock: -1 }, ['name', 'price', 'stock']],
    [{ name: 'x'.repeat(256), price: 1.001, stock: 1.5 }, ['name', 'price', 'stock']],
    [{ name: 'a\0', price: 10_000_000_000, stock: 2_147_483_648 }, ['name', 'price', 'stock']],
    [{ name: 'x', price: '1', description: 'x'.repeat(10_001) }, ['price', 'description']],
    [{ name: 'x', price: 1, category_id: '1', store_id: 0 }, ['category_id', 'store_id']],
    [{ name: 'x', price: 1, image: 'x', id: 3 }, ['image', 'id']],
  ])('%#: responds 400 and names every wrong field', async (body, fields) => {
    const response = await add(body).expect(400);
    expect(response.body.errors.map((error: { path: string }) => error.path)).toEqual(fields);
    expect(await productCount()).toBe(0);
  });

  test.each([{ price: '1.001' }, { price: '1e3' }, { price: '' }, { stock: '1.5' }, { stock: 'x' }, { other: 'x' }])(
    'responds 400 to the form field %j and stores no image',
    async (field) => {
      await app.http
        .post(PATH)
        .set(seller.auth)
        .field({ name: 'Tea', price: '1', ...field })
        .attach('image', aPng(), 'a.png')
        .expect(400);
      expect(await imagesOf(seller)).toEqual([]);
    },
  );

  test('accepts an image of 5 MiB; responds 413 to a larger one, 415 to another type, 400 to an empty one', async () => {
    const send = (bytes: Buffer, name = 'a.png') =>
      app.http.post(PATH).set(seller.auth).field({ name: 'Tea', price: '1' }).attach('image', bytes, name);
    await send(aPng(5 * 1024 * 1024)).expect(201);
    const before = await productCount();
    await send(aPng(5 * 1024 * 1024 + 1)).expect(413);
    await send(aPdf(), 'a.pdf').expect(415);
    await send(Buffer.from('<svg/>')).expect(415);
    await send(aGif()).expect(415);
    await send(Buffer.alloc(0)).expect(400);
    await app.http.post(PATH).set(seller.auth).type('text').send('name=x').expect(415);
    expect(await productCount()).toBe(before);
    expect(await imagesOf(seller)).toHaveLength(1);
  });

  test('accepts an image without a declared type; responds 400 to a name that is not UTF-8', async () => {
    const send = (name: Buffer | string) =>
      app.http
        .post(PATH)
        .set(seller.auth)
        .set('Content-Type', multipartType)
        .send(multipartBody(aPart('name', name), aPart('price', '1'), aPart('image', aPng(), 'tea.png')));
    const { body } = await send('Tea').expect(201);
    expect(body.image_url).toMatch(/\.png$/);
    const refused = await send(Buffer.from([0xff, 0xfe])).expect(400);
    expect(refused.body.errors).toEqual([expect.objectContaining({ in: 'body', path: 'name' })]);
    expect(await productCount()).toBe(1);
  });

  test('returns the added product even if its store is deleted right after the commit', async () => {
    const { resources } = app;
    const storage = createUploadStorage(storageSettings.parse({ UPLOAD_PATH: folder }), resources);
    // Invalidation comes after the commit.
    const invalidate = async () => {
      await write('DELETE FROM stores WHERE id = ?', [store.id]);
    };
    const caller = { id: seller.id, role: 'user' as const };
    const product = newProduct.parse({ name: 'Tea', price: 1 });
    const ctx = { ...resources, storage, cache: { ...resources.cache, invalidate } };
    const added = await addProduct(ctx, caller, product, undefined, undefined);
    expect(added).toMatchObject({ name: 'Tea', store_id: store.id });
    expect(await row(added.id)).toBeUndefined();
  });

  test('responds 422 to an unknown category and deletes the image', async () => {
    const { body } = await app.http
      .post(PATH)
      .set(seller.auth)
      .field({ name: 'Tea', price: '1', category_id: 999_999_999 })
      .attach('image', aPng(), 'a.png')
      .expect(422);
    expect(body.code).toBe('category_not_found');
    expect(await productCount()).toBe(0);
    expect(await imagesOf(seller)).toEqual([]);
  });

  test("responds 422 to a user without a store and to an unknown store, 403 to another user's store", async () => {
    const stranger = await aUser();
    expect((await add({ name: 'x', price: 1 }, stranger).expect(422)).body.code).toBe('no_store');
    expect((await add({ name: 'x', price: 1, store_id: 999_999_999 }).expect(422)).body.code).toBe('store_not_found');
    expect((await add({ name: 'x', price: 1, store_id: store.id }, stranger).expect(403)).body.code).toBe('forbidden');
    expect(await productCount()).toBe(0);
  });

  test('an admin can add a product to any store, and its seller sees it', async () => {
    const admin = await aUser({ role: 'admin' });
    await app.http.get(PATH).set(seller.auth).expect(200);
    const { body } = await add({ name: 'x', price: 1, store_id: store.id }, admin).expect(201);
    const list = await app.http.get(PATH).set(seller.auth).expect(200);
    expect(list.body.data).toEqual([body]);
  });

  test('responds 401 without a token', async () => {
    await app.http.post(PATH).send({ name: 'x', price: 1 }).expect(401);
  });

  test('responds 503 and stores nothing when images cannot be written', async () => {
    const broken = await startApp(productService, { UPLOAD_PATH: '/dev/null' });
    try {
      const { body } = await broken.http
        .post(PATH)
        .set(seller.auth)
        .field({ name: 'Tea', price: '1' })
        .attach('image', aPng(), 'a.png')
        .expect(503);
      expect(body.code).toBe('storage_unavailable');
    } finally {
      await broken.close();
    }
    expect(await productCount()).toBe(0);
  });
});
