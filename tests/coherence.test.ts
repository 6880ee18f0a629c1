import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { productService } from '@shop/product';
import { storeService } from '@shop/store';
import { aCategory, anAddress, aProduct, aStore, aUser, startApp, type TestApp } from '@shop/testing';
import { transactionService } from '@shop/transaction';

/** Writes by one service, reads through replicas of another that have cached the old response. */

const API = '/api/v1';
const ROUNDS = 100;
let auth: TestApp;
let otherAuth: TestApp;
let products: TestApp;
let otherProducts: TestApp;
let stores: TestApp;
let transactions: TestApp;

beforeAll(async () => {
  [auth, otherAuth, products, otherProducts, stores, transactions] = await Promise.all([
    startApp(authService),
    startApp(authService),
    startApp(productService),
    startApp(productService),
    startApp(storeService),
    startApp(transactionService),
  ]);
});
afterAll(() => Promise.all([auth, otherAuth, products, otherProducts, stores, transactions].map((app) => app.close())));

async function aSeller() {
  const owner = await aUser();
  const store = await aStore({ owner });
  return { owner, store };
}

test('a checkout is visible in the next read of the product and the list, on every replica, 100 times', async () => {
  const { owner, store } = await aSeller();
  const buyer = await aUser();
  const { id: address_id } = await anAddress(buyer);
  const { id } = await aProduct({ store, stock: ROUNDS });
  let hits = 0;
  for (let left = ROUNDS - 1; left >= 0; left -= 1) {
    const reader = left % 2 === 0 ? products : otherProducts;
    const before = await reader.http.get(`${API}/products/${id}`).set(owner.auth);
    await reader.http.get(`${API}/products`).set(owner.auth);
    hits += Number((await reader.http.get(`${API}/products/${id}`).set(owner.auth)).headers['x-cache'] === 'HIT');
    expect(before.body.stock).toBe(left + 1);
    await transactions.http
      .post(`${API}/transactions`)
      .set(buyer.auth)
      .send({ address_id, items: [{ product_id: id, quantity: 1 }] })
      .expect(201);
    expect((await reader.http.get(`${API}/products/${id}`).set(owner.auth)).body.stock).toBe(left);
    expect((await reader.http.get(`${API}/products`).set(owner.auth)).body.data[0].stock).toBe(left);
  }
  // Not every read: on a busy machine a slow Redis command is skipped (cache bypass).
  expect(hits).toBeGreaterThan(ROUNDS / 2);
});

test('a sold-out product leaves the list of what is in stock with the checkout, and comes back with the cancellation', async () => {
  const { store } = await aSeller();
  const buyer = await aUser();
  const { id: address_id } = await anAddress(buyer);
  const { id } = await aProduct({ store, stock: 1 });
  const expectShown = async (inStock: boolean) => {
    for (const reader of [products, otherProducts]) {
      for (const filter of [`store_id=${store.id}`, `ids=${id}`, `ids=${id}&sort=price`]) {
        const shown = async (value: boolean): Promise<number> =>
          (await reader.http.get(`${API}/catalog/products?${filter}&in_stock=${value}`).expect(200)).body.data.length;
        expect([await shown(true), await shown(false)]).toEqual(inStock ? [1, 0] : [0, 1]);
      }
    }
  };
  for (let round = 0; round < 10; round += 1) {
    await expectShown(true);
    const order = { address_id, items: [{ product_id: id, quantity: 1 }] };
    const { body } = await transactions.http.post(`${API}/transactions`).set(buyer.auth).send(order).expect(201);
    await expectShown(false);
    const cancelled = transactions.http.patch(`${API}/transactions/${body.id}`).set(buyer.auth);
    await cancelled.send({ status: 'cancelled' }).expect(204);
  }
  await expectShown(true);
});

test('an added, renamed or deleted category is in the next list of all replicas', async () => {
  const admin = await aUser({ role: 'admin' });
  const mark = randomUUID();
  const expectListed = async (names: string[]) => {
    for (const reader of [auth, otherAuth, auth, otherAuth]) {
      const { body } = await reader.http.get(`${API}/categories?search=${mark}`).expect(200);
      expect(body.data.map(({ name }: { name: string }) => name)).toEqual(names);
    }
  };
  const before = await auth.http.get(`${API}/categories?search=${mark}`);
  expect([before.body.data, before.headers['x-cache']]).toEqual([[], 'MISS']);
  for (let round = 0; round < 10; round += 1) {
    await expectListed([]);
    const [name, newName] = [`${mark} a`, `${mark} b`];
    const { id } = (await auth.http.post(`${API}/categories`).set(admin.auth).send({ name }).expect(201)).body;
    await expectListed([name]);
    await otherAuth.http.put(`${API}/categories/${id}`).set(admin.auth).send({ name: newName }).expect(204);
    await expectListed([newName]);
    await auth.http.delete(`${API}/categories/${id}`).set(admin.auth).expect(204);
  }
});

test('a deleted category is visible in the next read', async () => {
  const { owner, store } = await aSeller();
  const admin = await aUser({ role: 'admin' });
  for (let round = 0; round < 20; round += 1) {
    const category = await aCategory();
    const { id } = await aProduct({ store, category });
    const inCategory = `${API}/catalog/products?category_id=${category.id}`;
    for (const reader of [products, otherProducts]) {
      expect((await reader.http.get(`${API}/products/${id}`).set(owner.auth)).body.category_id).toBe(category.id);
      expect((await reader.http.get(inCategory)).body.data).toMatchObject([{ id }]);
    }
    await auth.http.delete(`${API}/categories/${category.id}`).set(admin.auth).expect(204);
    for (const reader of [products, otherProducts]) {
      expect((await reader.http.get(`${API}/products/${id}`).set(owner.auth)).body.category_id).toBeNull();
      expect((await reader.http.get(inCategory)).body.data).toEqual([]);
    }
  }
});

test('a deleted store is visible in the next read: its products are gone', async () => {
  for (let round = 0; round < 20; round += 1) {
    const { owner, store } = await aSeller();
    const { id } = await aProduct({ store });
    expect((await products.http.get(`${API}/products`).set(owner.auth)).body.pagination.total).toBe(1);
    await otherProducts.http.get(`${API}/products/${id}`).set(owner.auth).expect(200);
    const inStore = `${API}/catalog/products?store_id=${store.id}`;
    expect((await products.http.get(inStore)).body.data).toMatchObject([{ id }]);
    await products.http.get(`${API}/catalog/products/${id}`).expect(200);
    await stores.http.delete(`${API}/stores/${store.id}`).set(owner.auth).expect(204);
    expect((await products.http.get(`${API}/products`).set(owner.auth)).body.pagination.total).toBe(0);
    await otherProducts.http.get(`${API}/products/${id}`).set(owner.auth).expect(404);
    expect((await otherProducts.http.get(inStore)).body.data).toEqual([]);
    await otherProducts.http.get(`${API}/catalog/products/${id}`).expect(404);
  }
});
