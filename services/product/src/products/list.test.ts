import { aCategory, aProduct, aStore, aUser, startApp, type TestApp, type TestUser } from '@shop/testing';
import { productService } from '../service';

const PATH = '/api/v1/products';
let app: TestApp;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  app = await startApp(productService);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(() => app.close());

const list = (query: object, by = seller) => app.http.get(PATH).query(query).set(by.auth);

async function names(query: object, by = seller): Promise<string[]> {
  const { body } = await list(query, by).expect(200);
  expect(body.pagination.total).toBe(body.data.length);
  return body.data.map(({ name }: { name: string }) => name);
}

test("lists the products of the caller's own stores only, newest first, page by page", async () => {
  await aProduct({ store, name: '1' });
  await aProduct({ store: await aStore({ owner: seller }), name: '2' });
  await aProduct({ name: 'of another' });
  await aProduct({ store, name: '3' });
  expect(await names({})).toEqual(['3', '2', '1']);
  const second = await list({ limit: 2, page: 2 }).expect(200);
  expect(second.body.data.map(({ name }: { name: string }) => name)).toEqual(['1']);
  expect(second.body.pagination).toEqual({ page: 2, limit: 2, total: 3, next_cursor: null });
  const past = await list({ page: 50, limit: 100 }).expect(200);
  expect(past.body).toEqual({ data: [], pagination: { page: 50, limit: 100, total: 3, next_cursor: null } });
});

test('lists all products for an admin', async () => {
  const mine = await aProduct({ store });
  const others = await aProduct();
  const { body } = await list({ limit: 100 }, await aUser({ role: 'admin' })).expect(200);
  expect(body.data.map(({ id }: { id: number }) => id)).toEqual(expect.arrayContaining([mine.id, others.id]));
});

test('finds a literal part of the name and ignores case', async () => {
  await aProduct({ store, name: '100% Tea' });
  await aProduct({ store, name: 'A tea_pot\\' });
  await aProduct({ store, name: 'Water', description: '100% pure, 🍵_\\' });
  expect(await names({ search: ' EA ' })).toEqual(['A tea_pot\\', '100% Tea']);
  expect(await names({ search: '00% t' })).toEqual(['100% Tea']);
  for (const [search, name] of [
    ['%', '100% Tea'],
    ['_', 'A tea_pot\\'],
    ['\\', 'A tea_pot\\'],
  ])
    expect(await names({ search })).toEqual([name]);
  expect(await names({ search: '🍵' })).toEqual([]);
  expect(await names({ search: '' })).toHaveLength(3);
  expect(await names({ search: "' OR 1=1 --" })).toEqual([]);
});

test('finds products whose name or description has words that start with each word of the search', async () => {
  await aProduct({ store, name: 'Coffee mug', description: 'Holds 300 ml. Made of stoneware, glazed BLUE.' });
  await aProduct({ store, name: 'Blue teapot', description: '' });
  expect(await names({ search: 'blue' })).toEqual(['Blue teapot', 'Coffee mug']);
  expect(await names({ search: 'mug stone cof 30' })).toEqual(['Coffee mug']);
  expect(await names({ search: 'BLU, (mug)' })).toEqual(['Coffee mug']);
  expect(await names({ search: 'ware' })).toEqual([]);
  expect(await names({ search: 'tea' })).toEqual(['Blue teapot']);
  expect(await names({ search: 'pot' })).toEqual(['Blue teapot']);
  expect(await names({ search: 'blue spoon' })).toEqual([]);
  expect(await names({ search: 'glazed.BLUE' })).toEqual(['Coffee mug']);
  const manyWords = Array.from({ length: 128 }, (_, index) => String.fromCodePoint(0x4e00 + index));
  expect(await names({ search: manyWords.join(' ') })).toEqual([]);
  await aProduct({ store, name: 'Dictionary', description: manyWords.reverse().join('. ') });
  expect(await names({ search: manyWords.join(' ') })).toEqual(['Dictionary']);
});

test('searches the current name and description after a change of either', async () => {
  const { id } = await aProduct({ store, name: 'Mug', description: 'green' });
  const change = (fields: object) => app.http.put(`${PATH}/${id}`).set(seller.auth).send(fields).expect(204);
  await change({ name: 'Cup' });
  expect(await names({ search: 'cup green' })).toEqual(['Cup']);
  await change({ description: 'red' });
  expect(await names({ search: 'cup red' })).toEqual(['Cup']);
  for (const search of ['mug', 'green']) expect(await names({ search })).toEqual([]);
});

test('distinguishes letters that only look alike', async () => {
  await aProduct({ store, name: 'Crème Straße' });
  await aProduct({ store, name: 'Smile', description: 'ŁÓDŹ 😀' });
  expect(await names({ search: 'CRÈME stra' })).toEqual(['Crème Straße']);
  expect(await names({ search: 'łódź 😀' })).toEqual(['Smile']);
  for (const search of ['creme', 'straße creme', 'lodz', '😂']) expect(await names({ search })).toEqual([]);
});

test('filters by category, store and price, bounds included', async () => {
  const category = await aCategory();
  const second = await aStore({ owner: seller });
  await aProduct({ store, name: 'cheap', price: '9.99', category });
  await aProduct({ store, name: 'middle', price: '10.00' });
  await aProduct({ store: second, name: 'dear', price: '100.10', category });
  expect(await names({ category_id: category.id })).toEqual(['dear', 'cheap']);
  expect(await names({ store_id: second.id })).toEqual(['dear']);
  expect(await names({ min_price: '10' })).toEqual(['dear', 'middle']);
  expect(await names({ max_price: '9.99' })).toEqual(['cheap']);
  expect(await names({ min_price: '100.10', max_price: '100.1' })).toEqual(['dear']);
  expect(await names({ category_id: category.id, store_id: store.id, search: 'CHE' })).toEqual(['cheap']);
  expect(await names({ category_id: 999_999_999 })).toEqual([]);
});

test("shows nothing of another seller's store", async () => {
  const { storeId } = await aProduct();
  expect(await names({ store_id: storeId })).toEqual([]);
});

test.each([
  [{ page: 0, limit: 101 }, ['page', 'limit']],
  [{ page: '1.5', category_id: 'x', store_id: -1 }, ['page', 'category_id', 'store_id']],
  [{ min_price: -1, max_price: '1.001' }, ['min_price', 'max_price']],
  [{ min_price: 2, max_price: 1 }, ['min_price']],
  [{ min_price: 2, max_price: 1, page: 0 }, ['page', 'min_price']],
  [{ search: ['a', 'b'] }, ['search']],
])('responds 400 to %j and names every wrong parameter', async (query, fields) => {
  const { body } = await list(query).expect(400);
  expect(body.errors.map((error: { in: string; path: string }) => [error.in, error.path])).toEqual(
    fields.map((field) => ['query', field]),
  );
});

test('ignores unknown parameters and empty ones', async () => {
  await aProduct({ store, name: 'x' });
  expect(await names({ colour: 'red', category_id: '', min_price: '', page: '' })).toEqual(['x']);
});

test('responds 401 without a token', async () => {
  await app.http.get(PATH).expect(401);
});
