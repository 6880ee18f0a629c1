import { randomUUID } from 'node:crypto';
import { productService } from '@shop/product';
import {
  aCategory,
  aProduct,
  aStore,
  aUser,
  holdingInvalidation,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { authService } from '../service';

let app: TestApp;
let products: TestApp;
let admin: TestUser;

beforeAll(async () => {
  [app, products] = await Promise.all([startApp(authService), startApp(productService)]);
  admin = await aUser({ role: 'admin' });
});
afterAll(() => Promise.all([app.close(), products.close()]));

const PATH = '/api/v1/categories';
const add = (name: string, key: string = randomUUID()) =>
  app.http.post(PATH).set(admin.auth).set('Idempotency-Key', key).send({ name });
const rename = (id: number, name: string) => app.http.put(`${PATH}/${id}`).set(admin.auth).send({ name });
const remove = (id: number) => app.http.delete(`/api/v1/categories/${id}`).set(admin.auth);

test('adding and renaming a category wait for their cache invalidation', async () => {
  const { result, scopes } = await holdingInvalidation(app, () => add(randomUUID()));
  expect([result.status, scopes]).toEqual([201, ['categories']]);
  const renaming = await holdingInvalidation(app, () => rename(result.body.id, randomUUID()));
  expect([renaming.result.status, renaming.scopes]).toEqual([204, ['categories']]);
});

describe('when a process died between its commit and the invalidation, the retry invalidates', () => {
  test('adding a category, with the key and without', async () => {
    const [name, key] = [randomUUID(), randomUUID()];
    await add(name, key).expect(201);
    for (const [status, repeat] of [
      [201, () => add(name, key)],
      [409, () => add(name)],
    ] as const) {
      const { result, scopes } = await holdingInvalidation(app, repeat);
      expect([result.status, scopes]).toEqual([status, ['categories']]);
    }
  });

  test('renaming a category with If-Match', async () => {
    const { id } = await aCategory();
    const { etag } = (await app.http.get(`${PATH}/${id}`).expect(200)).headers;
    const name = randomUUID();
    await rename(id, name).expect(204);
    const { result, scopes } = await holdingInvalidation(app, () => rename(id, name).set('If-Match', etag ?? ''));
    expect([result.status, scopes]).toEqual([412, ['categories']]);
  });
});

test('deleting a category waits for its cache invalidation', async () => {
  const { id } = await aCategory();
  const { result, scopes } = await holdingInvalidation(app, () => remove(id));
  expect([result.status, scopes]).toEqual([204, ['epoch']]);
});

test('deleting a deleted category also invalidates, because the first attempt may have crashed before it', async () => {
  const store = await aStore();
  const category = await aCategory();
  const { id } = await aProduct({ store, category });
  const read = () => products.http.get(`/api/v1/catalog/products/${id}`).expect(200);
  expect((await read()).body.category_id).toBe(category.id);
  await write('DELETE FROM categories WHERE id = ?', [category.id]);
  const { result, scopes } = await holdingInvalidation(app, () => remove(category.id));
  expect([result.status, scopes]).toEqual([404, ['epoch']]);
  expect((await read()).body.category_id).toBeNull();
});
