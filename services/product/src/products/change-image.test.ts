import { mkdtempSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { storageSettings } from '@shop/core/storage';
import { createUploadStorage } from '@shop/shop';
import { aGif, aPdf, aPng, aProduct, aStore, aUser, rows, startApp, type TestApp, type TestUser } from '@shop/testing';
import { productService } from '../service';
import { deleteProduct } from './delete-product';

const folder = mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '', 'uploads-'));
let here: TestApp;
let there: TestApp;
let seller: TestUser;
let id: number;

beforeAll(async () => {
  [here, there] = await Promise.all([
    startApp(productService, { UPLOAD_PATH: folder }),
    startApp(productService, { UPLOAD_PATH: folder }),
  ]);
});
beforeEach(async () => {
  seller = await aUser();
  id = (await aProduct({ store: await aStore({ owner: seller }) })).id;
});
afterAll(() => Promise.all([here.close(), there.close()]));

const urlOf = (product: number) => `/api/v1/products/${product}/image`;
const set = (bytes = aPng(), { app = here, by = seller, product = id, name = 'a.png' } = {}) =>
  app.http.put(urlOf(product)).set(by.auth).attach('image', bytes, name);
const unset = ({ app = here, by = seller, product = id } = {}) => app.http.delete(urlOf(product)).set(by.auth);
const filesOf = async (user = seller): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(`${user.id}_`));
const imageOf = async () =>
  (await rows<{ image: string | null }>('SELECT image FROM products WHERE id = ?', [id]))[0]?.image;
const shown = async (app = here) => (await app.http.get(`/api/v1/catalog/products/${id}`).expect(200)).body.image_url;

test('sets an image and replaces it, and the old file is deleted', async () => {
  const first = await set().expect(200);
  expect(first.body).toMatchObject({
    id,
    name: 'A Product',
    image_url: expect.stringMatching(/^\/uploads\/\d+_\w+\.png$/),
  });
  expect(await shown(there)).toBe(first.body.image_url);
  const second = await set(aGif(), { name: 'b.gif' }).expect(200);
  expect(second.body.image_url).toMatch(/\.gif$/);
  expect(await shown(there)).toBe(second.body.image_url);
  expect((await here.http.get(`/api/v1/products/${id}`).set(seller.auth)).body).toEqual(second.body);
  expect(await filesOf()).toEqual([path.basename(second.body.image_url)]);
});

test('removes the image and its file; without one it is 204 too', async () => {
  await set().expect(200);
  await unset().expect(204);
  expect([await shown(there), await imageOf(), await filesOf()]).toEqual([null, null, []]);
  await unset().expect(204);
});

test('If-Match compares with the tag of the product: of two writes at once, one takes effect', async () => {
  const tag = async () => (await here.http.get(`/api/v1/products/${id}`).set(seller.auth)).headers.etag ?? '';
  await set().set('If-Match', '"other"').expect(412);
  await unset().set('If-Match', '"other"').expect(412);
  expect([await imageOf(), await filesOf()]).toEqual([null, []]);
  for (const write of [set, unset]) {
    const before = await tag();
    const both = await Promise.all([
      write().set('If-Match', before),
      set(aGif(), { app: there, name: 'b.gif' }).set('If-Match', before),
    ]);
    expect(both.map(({ status }) => status).filter((status) => status === 412)).toHaveLength(1);
    expect(await filesOf()).toEqual([await imageOf()].filter(Boolean));
  }
});

test.each([
  ['of another kind', aPdf(), 'a.pdf', 415],
  ['that contradicts its name', aPng(), 'a.gif', 415],
  ['that is empty', Buffer.alloc(0), 'a.png', 400],
  ['over 5 MiB', aPng(5 * 1024 * 1024 + 1), 'a.png', 413],
])('a file %s leaves the old image', async (_, bytes, name, status) => {
  await set().expect(200);
  const before = await filesOf();
  await set(bytes, { name }).expect(status);
  expect([[await imageOf()], await filesOf()]).toEqual([before, before]);
});

test.each([
  ['no file', () => here.http.put(urlOf(id)).set(seller.auth).field('name', 'x'), 400],
  ['an unknown field', () => set().field('name', 'x'), 400],
  ['JSON', () => here.http.put(urlOf(id)).set(seller.auth).send({ image: 'a.png' }), 415],
])('%s is refused', async (_, request, status) => {
  await request().expect(status);
  expect([await imageOf(), await filesOf()]).toEqual([null, []]);
});

test("another user's product is 403, an unknown one 404, and an admin may; nothing is left of what was refused", async () => {
  const [other, admin] = [await aUser(), await aUser({ role: 'admin' })];
  for (const change of [set(aPng(), { by: other }), unset({ by: other })]) await change.expect(403);
  for (const change of [set(aPng(), { product: 999_999_999 }), unset({ product: 999_999_999 })])
    await change.expect(404);
  expect([await filesOf(other), await filesOf()]).toEqual([[], []]);
  await set(aPng(), { by: admin }).expect(200);
  expect(await filesOf(admin)).toEqual([await imageOf()]);
});

test('changes at once at two replicas leave the file of the last one only', async () => {
  await Promise.all(
    Array.from({ length: 12 }, async (_, turn) => {
      const app = turn % 2 ? here : there;
      await (turn % 4 === 3 ? unset({ app }).expect(204) : set(aPng(turn * 1000), { app }).expect(200));
    }),
  );
  const image = await imageOf();
  expect(await filesOf()).toEqual(image ? [image] : []);
  expect([await shown(here), await shown(there)]).toEqual(Array(2).fill(image ? `/uploads/${image}` : null));
});

test('a product that is deleted meanwhile takes its new image with it', async () => {
  for (let round = 0; round < 10; round += 1) {
    const product = (await aProduct({ store: await aStore({ owner: seller }) })).id;
    await set(aPng(), { product }).expect(200);
    const [change] = await Promise.all([
      set(aPng(), { product, app: there }),
      here.http.delete(`/api/v1/products/${product}`).set(seller.auth).expect(204),
    ]);
    expect([200, 404]).toContain(change.status);
    expect(await filesOf()).toEqual([]);
  }
});

test('a delete also deletes an image that was set after it had read the product', async () => {
  await set().expect(200);
  const { resources } = here;
  const { db } = resources;
  let reads = 0;
  const row: typeof db.row = async (statement, values) => {
    const found = await db.row(statement, values);
    reads += 1;
    if (reads === 1) await set(aGif(), { app: there, name: 'b.gif' }).expect(200);
    return found;
  };
  const storage = createUploadStorage(storageSettings.parse({ UPLOAD_PATH: folder }), resources);
  const caller = { id: seller.id, role: 'user' as const };
  await deleteProduct({ ...resources, storage, db: { ...db, row } }, caller, id, undefined);
  expect([await imageOf(), await filesOf(), reads]).toEqual([undefined, [], 2]);
});
