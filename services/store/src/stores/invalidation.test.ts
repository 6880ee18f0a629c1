import { productService } from '@shop/product';
import {
  aProduct,
  aStore,
  aUser,
  holdingInvalidation,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { storeService } from '../service';

const PATH = '/api/v1/stores';
let app: TestApp;
let products: TestApp;
let seller: TestUser;

beforeAll(async () => {
  [app, products] = await Promise.all([startApp(storeService), startApp(productService)]);
  seller = await aUser();
});
afterAll(() => Promise.all([app.close(), products.close()]));

const rename = (id: number, name: string) => app.http.put(`${PATH}/${id}`).set(seller.auth).send({ name });
const remove = (id: number) => app.http.delete(`${PATH}/${id}`).set(seller.auth);

test.each([
  ['renaming a store', async (id: number) => rename(id, 'Renamed'), 204],
  ['deleting a store', async (id: number) => remove(id), 204],
  [
    'deleting a store that no longer exists',
    async (id: number) => {
      await write('DELETE FROM stores WHERE id = ?', [id]);
      return remove(id);
    },
    404,
  ],
])('%s waits for its cache invalidation', async (_, change, status) => {
  const { id } = await aStore({ owner: seller });
  const { result, scopes } = await holdingInvalidation(app, () => change(id));
  expect([result.status, scopes]).toEqual([status, ['epoch']]);
});

describe('when a process died between its commit and the invalidation, the retry invalidates', () => {
  const read = (id: number) => products.http.get(`/api/v1/catalog/products/${id}`);

  test('a rename', async () => {
    const store = await aStore({ owner: seller });
    const { id } = await aProduct({ store });
    await read(id).expect(200);
    await write("UPDATE stores SET name = 'New' WHERE id = ?", [store.id]);
    await rename(store.id, 'New').expect(204);
    expect((await read(id)).body.store.name).toBe('New');
  });

  test('a rename with If-Match', async () => {
    const store = await aStore({ owner: seller });
    const { id } = await aProduct({ store });
    await read(id).expect(200);
    await write("UPDATE stores SET name = 'New' WHERE id = ?", [store.id]);
    await rename(store.id, 'New').set('If-Match', '"other"').expect(412);
    expect((await read(id)).body.store.name).toBe('New');
  });

  test('a delete', async () => {
    const store = await aStore({ owner: seller });
    const { id } = await aProduct({ store });
    await read(id).expect(200);
    await write('DELETE FROM stores WHERE id = ?', [store.id]);
    await remove(store.id).expect(404);
    await read(id).expect(404);
  });
});
