import { authService } from '@shop/auth';
import { productService } from '@shop/product';
import {
  aCategory,
  aProduct,
  aStore,
  aUser,
  eventually,
  rows,
  startApp,
  type TestApp,
  type TestUser,
} from '@shop/testing';

const API = '/api/v1';
let app: TestApp;
let products: TestApp;
let admin: TestUser;

beforeAll(async () => {
  [app, products] = await Promise.all([startApp(authService), startApp(productService)]);
  admin = await aUser({ role: 'admin' });
});
afterAll(() => Promise.all([app.close(), products.close()]));

const remove = (id: number) => app.http.delete(`${API}/categories/${id}`).set(admin.auth);
const categoryOf = async (productId: number) =>
  (await rows<{ category_id: number | null }>('SELECT category_id FROM products WHERE id = ?', [productId]))[0];

/** A seller with products in one category. */
async function aCategoryWithProducts(count: number) {
  const owner = await aUser();
  const [store, category] = [await aStore({ owner }), await aCategory()];
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) ids.push((await aProduct({ store, category })).id);
  return { owner, store, category, ids };
}

describe('deleting a category in use', () => {
  test('keeps its products without a category and does not touch other products', async () => {
    const [shelf, other] = [await aCategoryWithProducts(3), await aCategoryWithProducts(1)];
    await remove(shelf.category.id).expect(204);
    for (const id of shelf.ids) expect(await categoryOf(id)).toEqual({ category_id: null });
    for (const id of other.ids) expect(await categoryOf(id)).toEqual({ category_id: other.category.id });
  });

  test('takes effect in lists and products that were cached before', async () => {
    const { owner, category, ids } = await aCategoryWithProducts(2);
    const reads = [`/products?category_id=${category.id}`, '/products', `/products/${ids[0]}`];
    const read = (path: string) =>
      products.http
        .get(API + path)
        .set(owner.auth)
        .expect(200);
    for (const path of reads) await read(path);
    for (const path of reads) await eventually('a hit', async () => (await read(path)).headers['x-cache'] === 'HIT');
    await remove(category.id).expect(204);
    const [filtered, all, one] = [await read(reads[0] ?? ''), await read(reads[1] ?? ''), await read(reads[2] ?? '')];
    expect(filtered.body).toMatchObject({ data: [], pagination: { total: 0 } });
    expect(all.body.data.map(({ category_id }: { category_id: null }) => category_id)).toEqual([null, null]);
    expect(one.body.category_id).toBeNull();
  });

  test('during writes to its products leaves no dangling reference and loses no write', async () => {
    const { owner, category, ids } = await aCategoryWithProducts(6);
    const put = (id: number, body: object) => products.http.put(`${API}/products/${id}`).set(owner.auth).send(body);
    const responses = await Promise.all([
      ...ids.map((id) => put(id, { stock: 3 })),
      remove(category.id),
      ...ids.map((id) => put(id, { price: 2, category_id: category.id })),
    ]);
    const deleted = responses[ids.length];
    expect(deleted?.status).toBe(204);
    const stockWrites = responses.slice(0, ids.length).map(({ status }) => status);
    expect(stockWrites).toEqual(Array(ids.length).fill(204));
    const moves = responses.slice(ids.length + 1);
    // The category exists before the delete and not after it.
    for (const { status, body } of moves) expect([204, 'category_not_found']).toContain(body?.code ?? status);
    const left = await rows(
      'SELECT category_id, stock FROM products WHERE store_id IN (SELECT id FROM stores WHERE user_id = ?)',
      [owner.id],
    );
    expect(left).toEqual(Array(ids.length).fill({ category_id: null, stock: 3 }));
  });

  test('while products are added to it leaves no dangling reference', async () => {
    const { owner, category } = await aCategoryWithProducts(1);
    const post = () =>
      products.http.post(`${API}/products`).set(owner.auth).send({ name: 'Tea', price: 1, category_id: category.id });
    const responses = await Promise.all([post(), post(), remove(category.id), post(), post()]);
    expect(responses[2]?.status).toBe(204);
    const made = responses.filter(({ status }) => status === 201).length;
    const refused = responses.filter(({ body }) => body?.code === 'category_not_found').length;
    expect(made + refused).toBe(4);
    const left = await rows<{ category_id: null }>(
      'SELECT category_id FROM products WHERE store_id IN (SELECT id FROM stores WHERE user_id = ?)',
      [owner.id],
    );
    expect(left).toEqual(Array(made + 1).fill({ category_id: null }));
  });
});
