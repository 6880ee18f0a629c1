import {
  anAddress,
  aProduct,
  aStore,
  aUser,
  figure,
  scrape,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';

const PATH = '/api/v1/transactions';
let app: TestApp;

beforeAll(async () => {
  app = await startApp(transactionService);
});
afterAll(() => app.close());

async function bought(buyer: TestUser, store: { id: number }, price: string): Promise<number> {
  const { id: address_id } = await anAddress(buyer);
  const product = await aProduct({ store, price });
  const items = [{ product_id: product.id, quantity: 1 }];
  return (await app.http.post(PATH).set(buyer.auth).send({ address_id, items }).expect(201)).body.id;
}

const list = (user: TestUser, query = '') => app.http.get(`${PATH}?${query}`).set(user.auth);
const ids = (response: { body: { data: { id: number }[] } }) => response.body.data.map(({ id }) => id);

test("lists the buyer's own orders, newest first, with the exact total past the end", async () => {
  const [buyer, store] = [await aUser(), await aStore()];
  const mine: number[] = [];
  for (const price of ['1.00', '2.00', '3.00']) mine.unshift(await bought(buyer, store, price));
  await bought(await aUser(), store, '9.00');
  const response = await list(buyer).expect(200);
  expect(ids(response)).toEqual(mine);
  expect(response.body.pagination).toEqual({ page: 1, limit: 10, total: 3, next_cursor: null });
  expect(ids(await list(buyer, 'page=2&limit=2'))).toEqual(mine.slice(2));
  expect((await list(buyer, 'page=9')).body).toEqual({
    data: [],
    pagination: { page: 9, limit: 10, total: 3, next_cursor: null },
  });
});

test("as=seller lists the orders of the caller's stores; the owner can read each, other users none", async () => {
  const [one, other, buyer] = [await aUser(), await aUser(), await aUser()];
  const [a, b] = [await aStore({ owner: one }), await aStore({ owner: one })];
  await bought(buyer, await aStore({ owner: buyer }), '1.00');
  const inA = await bought(buyer, a, '1.00');
  const inB = await bought(buyer, b, '1.00');
  expect(ids(await list(one, 'as=seller'))).toEqual([inB, inA]);
  expect(ids(await list(one, `as=seller&store_id=${a.id}`))).toEqual([inA]);
  expect((await list(one)).body).toMatchObject({ data: [], pagination: { total: 0 } });
  expect(ids(await list(other, 'as=seller'))).toEqual([]);
  expect(ids(await list(await aUser({ role: 'admin' }), 'as=seller'))).toEqual([]);
  await list(one, 'as=buyer').expect(400);
  await app.http.get(`${PATH}/${inB}`).set(one.auth).expect(200);
  await app.http.get(`${PATH}/${inB}`).set(other.auth).expect(403);
});

test('filters by status, store and total', async () => {
  const [buyer, one, other] = [await aUser(), await aStore(), await aStore()];
  const cheap = await bought(buyer, one, '1.10');
  const dear = await bought(buyer, other, '100.00');
  await write("UPDATE transactions SET status = 'paid' WHERE id = ?", [dear]);
  expect(ids(await list(buyer, 'status=paid'))).toEqual([dear]);
  expect(ids(await list(buyer, `store_id=${one.id}`))).toEqual([cheap]);
  expect(ids(await list(buyer, 'min_total=1.10&max_total=1.10'))).toEqual([cheap]);
  expect(ids(await list(buyer, 'min_total=1.11'))).toEqual([dear]);
  expect(ids(await list(buyer, 'status=&store_id=&unknown=1'))).toEqual([dear, cheap]);
});

test.each([
  'status=lost',
  'store_id=x',
  'min_total=1.001',
  'max_total=-1',
  'min_total=2&max_total=1',
  'page=0',
  'limit=101',
  'page=1&page=2',
])('refuses %s', async (query) => {
  const response = await list(await aUser(), query).expect(400);
  expect(response.body.errors).toContainEqual(expect.objectContaining({ in: 'query' }));
});

test('reports an invalid range together with other invalid parameters', async () => {
  const { body } = await list(await aUser(), 'min_total=5&max_total=1&page=0&status=foo').expect(400);
  expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(['min_total', 'page', 'status']);
});

test("an admin can read and list everyone's orders, another user gets 403, an unknown id 404", async () => {
  const [buyer, admin] = [await aUser(), await aUser({ role: 'admin' })];
  const id = await bought(buyer, await aStore(), '4.20');
  expect(ids(await list(admin, 'limit=100'))).toContain(id);
  await app.http.get(`${PATH}/${id}`).set(admin.auth).expect(200);
  await app.http
    .get(`${PATH}/${id}`)
    .set((await aUser()).auth)
    .expect(403);
  await app.http.get(`${PATH}/999999999`).set(buyer.auth).expect(404);
  await app.http.get(`${PATH}/abc`).set(buyer.auth).expect(400);
  await app.http.get(`${PATH}/${id}`).expect(401);
});

test("a buyer's list takes one statement, and so does a pending transaction", async () => {
  const buyer = await aUser();
  const id = await bought(buyer, await aStore(), '1.00');
  const count = async () => {
    const samples = await scrape(app.url);
    const of = (query: string) => figure(samples, 'db_query_duration_seconds_count', { query }) ?? 0;
    return [of('order.list'), of('order.findById'), of('status.listChanges')];
  };
  const before = await count();
  await list(buyer).expect(200);
  await app.http.get(`${PATH}/${id}`).set(buyer.auth).expect(200);
  const after = await count();
  expect(after.map((now, index) => now - (before[index] ?? 0))).toEqual([1, 1, 0]);
});
