import { addressService } from '@shop/address';
import { authService } from '@shop/auth';
import { fileService } from '@shop/file';
import { productService } from '@shop/product';
import { storeService } from '@shop/store';
import {
  aCategory,
  anAddress,
  aProduct,
  aStore,
  aUser,
  eventually,
  lockedRow,
  retries,
  rows,
  startApp,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';

const API = '/api/v1';
let auth: TestApp;
let products: TestApp;
let orders: TestApp;
let addresses: TestApp;
let stores: TestApp;
let files: TestApp;
let admin: TestUser;

beforeAll(async () => {
  [auth, products, orders, addresses, stores, files] = await Promise.all([
    startApp(authService),
    startApp(productService),
    startApp(transactionService, { DB_POOL_SIZE: '25' }),
    startApp(addressService),
    startApp(storeService),
    startApp(fileService),
  ]);
  admin = await aUser({ role: 'admin' });
});
const apps = () => [auth, products, orders, addresses, stores, files];
afterAll(() => Promise.all(apps().map((app) => app.close())));

const remove = (app: TestApp, path: string, by = admin) => app.http.delete(API + path).set(by.auth);
const buy = (buyer: TestUser, addressId: number, productIds: number[], key?: string) => {
  const items = productIds.map((product_id) => ({ product_id, quantity: 1 }));
  const request = orders.http.post(`${API}/transactions`).set(buyer.auth);
  return (key ? request.set('Idempotency-Key', key) : request).send({ address_id: addressId, items });
};
const cancel = (id: number, by: TestUser) =>
  orders.http.patch(`${API}/transactions/${id}`).set(by.auth).send({ status: 'cancelled' });
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A store with products, created sequentially so that their ids ascend. */
async function aStoreWithProducts(count: number, category?: { id: number }) {
  const owner = await aUser();
  const store = await aStore({ owner });
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push((await aProduct({ store, stock: 1000, ...(category ? { category } : {}) })).id);
  }
  return { owner, store, ids };
}

const deadlocks = async () => {
  const counts = await Promise.all(apps().map(async (app) => (await retries(app.resources)).deadlock ?? 0));
  return counts.reduce((sum, count) => sum + count, 0);
};

describe('without a deadlock', () => {
  let before: number;
  beforeEach(async () => {
    before = await deadlocks();
  });
  afterEach(async () => {
    expect((await deadlocks()) - before).toBe(0);
  });

  test('a store is deleted, or kept with 409, during twenty orders of its products', async () => {
    const buyer = await aUser();
    const { id: address } = await anAddress(buyer);
    for (let round = 0; round < 20; round += 1) {
      const { owner, store, ids } = await aStoreWithProducts(3);
      const baskets = times(20, (index) => buy(buyer, address, index % 2 ? ids : ids.toReversed()));
      const [deleted, ...bought] = await Promise.all([remove(stores, `/stores/${store.id}`, owner), ...baskets]);
      const responses = new Set(bought.map(({ status, body }) => body.code ?? status));
      if (deleted.status === 204) expect(responses).toEqual(new Set(['product_not_found']));
      else expect([deleted.body.code, responses]).toEqual(['store_has_transactions', new Set([201])]);
    }
  });

  test('a category is deleted during orders and edits of its products', async () => {
    const buyer = await aUser();
    const { id: address } = await anAddress(buyer);
    for (let round = 0; round < 8; round += 1) {
      const [category, other] = [await aCategory(), await aCategory()];
      const { owner, ids } = await aStoreWithProducts(6, category);
      const edit = (id: number, body: object) => products.http.put(`${API}/products/${id}`).set(owner.auth).send(body);
      const responses = await Promise.all([
        remove(auth, `/categories/${category.id}`),
        ...times(10, (index) => buy(buyer, address, index % 2 ? ids : ids.toReversed())),
        ...ids.map((id, index) => edit(id, { stock: 500 + index })),
        ...ids.map((id) => edit(id, { category_id: other.id })),
      ]);
      expect(responses.filter(({ status }) => ![201, 204].includes(status))).toEqual([]);
    }
  });

  test('an address is deleted during cancellations of its orders and new orders', async () => {
    const buyer = await aUser();
    for (let round = 0; round < 8; round += 1) {
      const { id: address } = await anAddress(buyer);
      const { id: other } = await anAddress(buyer);
      const { ids } = await aStoreWithProducts(2);
      const placed = await Promise.all(times(8, () => buy(buyer, address, ids)));
      const responses = await Promise.all([
        ...placed.map(({ body }) => cancel(body.id, buyer)),
        remove(addresses, `/addresses/${address}`, buyer),
        ...times(8, (index) => buy(buyer, index % 2 ? address : other, ids)),
      ]);
      const outcomes = new Set(responses.map(({ status, body }) => body.code ?? status));
      for (const outcome of outcomes) expect([201, 204, 'address_not_found']).toContain(outcome);
    }
  });

  test('a product is deleted during cancellations of its orders', async () => {
    const buyer = await aUser();
    const { id: address } = await anAddress(buyer);
    for (let round = 0; round < 8; round += 1) {
      const { owner, ids } = await aStoreWithProducts(3);
      const placed = await Promise.all(times(8, () => buy(buyer, address, ids)));
      const responses = await Promise.all([
        ...placed.map(({ body }) => cancel(body.id, buyer)),
        ...ids.map((id) => remove(products, `/products/${id}`, owner)),
      ]);
      expect(responses.filter(({ status }) => status !== 204)).toEqual([]);
    }
  });

  test('a user is edited during their checkouts, with and without keys, and cancellations', async () => {
    const { ids } = await aStoreWithProducts(1);
    for (let round = 0; round < 8; round += 1) {
      const buyer = await aUser();
      const { id: address } = await anAddress(buyer);
      const placed = await Promise.all(times(4, () => buy(buyer, address, ids)));
      const rename = (name: string) => auth.http.put(`${API}/auth/users/${buyer.id}`).set(buyer.auth).send({ name });
      const responses = await Promise.all([
        ...times(10, (index) => buy(buyer, address, ids, index % 2 ? `key-${index}` : undefined)),
        ...placed.map(({ body }) => cancel(body.id, buyer)),
        ...times(5, (index) => rename(`Name ${index}`)),
      ]);
      expect(responses.filter(({ status }) => ![201, 204].includes(status)).map(({ body }) => body)).toEqual([]);
    }
  });
});

describe('of two concurrent deletes one gets 204, the other 404:', () => {
  test.each(['store', 'product', 'category', 'address', 'file'])('%s', async (kind) => {
    const { owner, store, ids } = await aStoreWithProducts(1);
    const upload = () =>
      files.http.post(`${API}/files/upload`).set(owner.auth).attach('file', Buffer.from('some text'), 'a.txt');
    const targets: Record<string, () => Promise<{ app: TestApp; path: string; table: string; id: number }>> = {
      store: async () => ({ app: stores, path: `/stores/${store.id}`, table: 'stores', id: store.id }),
      product: async () => ({ app: products, path: `/products/${ids[0]}`, table: 'products', id: ids[0] ?? 0 }),
      category: async () => {
        const { id } = await aCategory();
        return { app: auth, path: `/categories/${id}`, table: 'categories', id };
      },
      address: async () => {
        const { id } = await anAddress(owner);
        return { app: addresses, path: `/addresses/${id}`, table: 'addresses', id };
      },
      file: async () => {
        const name = (await upload().expect(201)).body.url.split('/').at(-1);
        const [row] = await rows<{ id: number }>('SELECT id FROM files WHERE stored_name = ?', [name]);
        return { app: files, path: `/files/${name}`, table: 'files', id: row?.id ?? 0 };
      },
    };
    const target = await targets[kind]?.();
    if (!target) throw new Error(`no target for ${kind}`);
    const { app, path, table, id } = target;
    // Both have read the row before either can delete it.
    const lock = await lockedRow(table, id);
    const by = kind === 'category' ? admin : owner;
    const deletes = Promise.all([remove(app, path, by), remove(app, path, by)]);
    await eventually('both to wait for the row', () => {
      const { open, idle } = app.resources.db.stats();
      return open - idle === 2;
    });
    await lock.release();
    expect((await deletes).map(({ status }) => status).sort()).toEqual([204, 404]);
  });
});
