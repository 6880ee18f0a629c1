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

const remove = (id: number) => app.http.delete(`/api/v1/categories/${id}`).set(admin.auth);

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
