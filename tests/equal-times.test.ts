import { randomUUID } from 'node:crypto';
import { anAddress, aProduct, aStore, aUser, rows, type TestApp, type TestUser, write } from '@shop/testing';
import { startAll } from './support/all-services';

let apps: Record<string, TestApp>;

beforeAll(async () => {
  apps = Object.fromEntries((await startAll()).map(({ name, app }) => [name, app]));
});
afterAll(() => Promise.all(Object.values(apps).map((app) => app.close())));

const COUNT = 7;
const MOMENT = '2026-01-31 09:00:00.000';

interface Scene {
  reader: TestUser;
  ids: number[];
}

async function made(reader: TestUser, make: () => Promise<{ id: number }>): Promise<Scene> {
  const ids: number[] = [];
  for (let made = 0; made < COUNT; made += 1) ids.push((await make()).id);
  return { reader, ids };
}

async function productsOf(reader: TestUser) {
  const owner = reader.role === 'admin' ? await aUser() : reader;
  const store = await aStore({ owner });
  return { ...(await made(reader, () => aProduct({ store }))), store };
}

async function ordersOf(seller: TestUser, buyer: TestUser): Promise<Scene & { storeId: number }> {
  const { id: storeId } = await aStore({ owner: seller });
  const { id: addressId } = await anAddress(buyer);
  const insert = `
    INSERT INTO transactions (user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total)
    VALUES (?, ?, ?, '', 'x', '', '', 1)`;
  const scene = await made(buyer, async () => ({ id: await write(insert, [buyer.id, storeId, addressId]) }));
  return { ...scene, storeId };
}

/** Each list: its table, its path and rows that only this test sees. */
const lists: [title: string, app: string, table: string, prepare: () => Promise<Scene & { path: string }>][] = [
  [
    'own products',
    'product',
    'products',
    async () => ({ ...(await productsOf(await aUser())), path: '/api/v1/products' }),
  ],
  [
    "an admin's products of a store",
    'product',
    'products',
    async () => {
      const scene = await productsOf(await aUser({ role: 'admin' }));
      return { ...scene, path: `/api/v1/products?store_id=${scene.store.id}` };
    },
  ],
  [
    'the catalog, by price',
    'product',
    'products',
    async () => {
      const store = await aStore();
      const price = `${Math.floor(Math.random() * 1e9) + 1e9}.07`;
      const scene = await made(await aUser(), () => aProduct({ store, price }));
      return { ...scene, path: `/api/v1/catalog/products?min_price=${price}&max_price=${price}` };
    },
  ],
  [
    "a buyer's transactions",
    'transaction',
    'transactions',
    async () => ({ ...(await ordersOf(await aUser(), await aUser())), path: '/api/v1/transactions' }),
  ],
  [
    "a seller's transactions",
    'transaction',
    'transactions',
    async () => {
      const seller = await aUser();
      const { ids } = await ordersOf(seller, await aUser());
      return { reader: seller, ids, path: '/api/v1/transactions?as=seller' };
    },
  ],
  [
    "an admin's transactions of a store",
    'transaction',
    'transactions',
    async () => {
      const { ids, storeId } = await ordersOf(await aUser(), await aUser());
      return { reader: await aUser({ role: 'admin' }), ids, path: `/api/v1/transactions?store_id=${storeId}` };
    },
  ],
  [
    'stores',
    'store',
    'stores',
    async () => {
      const owner = await aUser();
      return { ...(await made(owner, () => aStore({ owner }))), path: '/api/v1/stores' };
    },
  ],
  [
    'users',
    'auth',
    'users',
    async () => {
      const name = randomUUID();
      const scene = await made(await aUser({ role: 'admin' }), () => aUser({ name }));
      return { ...scene, path: `/api/v1/auth/users?search=${name}` };
    },
  ],
  [
    'categories',
    'auth',
    'categories',
    async () => {
      const mark = randomUUID();
      const insert = 'INSERT INTO categories (name, name_key) VALUES (?, ?)';
      const scene = await made(await aUser(), async () => {
        const name = `${mark} ${randomUUID()}`;
        return { id: await write(insert, [name, name]) };
      });
      return { ...scene, path: `/api/v1/categories?search=${mark}` };
    },
  ],
  [
    'addresses',
    'address',
    'addresses',
    async () => {
      const owner = await aUser();
      return { ...(await made(owner, () => anAddress(owner))), path: '/api/v1/addresses' };
    },
  ],
  [
    'files',
    'file',
    'files',
    async () => {
      const owner = await aUser();
      const insert =
        "INSERT INTO files (user_id, stored_name, original_name, content_type, size_bytes) VALUES (?, ?, 'x', 'text/plain', 1)";
      const scene = await made(owner, async () => ({ id: await write(insert, [owner.id, randomUUID()]) }));
      return { ...scene, path: '/api/v1/files' };
    },
  ],
];

test.each(lists)(
  '%s with equal times: the last created comes first, and each appears once over all pages',
  async (_, name, table, prepare) => {
    const { reader, ids, path } = await prepare();
    await write(`UPDATE ${table} SET created_at = '${MOMENT}' WHERE id IN (${ids.join()})`);
    const newestFirst = [...ids].reverse();
    const key = table === 'files' ? 'stored_name' : 'id';
    const stored = await rows<{ key: unknown }>(
      `SELECT ${key} AS \`key\` FROM ${table} WHERE id IN (${ids.join()}) ORDER BY id DESC`,
    );
    const seen: unknown[] = [];
    for (const page of [1, 2, 3, 4]) {
      const response = await apps[name]?.http.get(path).query({ page, limit: 2 }).set(reader.auth).expect(200);
      expect(response?.body.pagination).toEqual({ page, limit: 2, total: COUNT });
      seen.push(
        ...(response?.body.data.map((item: Record<string, unknown>) => item[table === 'files' ? 'filename' : 'id']) ??
          []),
      );
    }
    expect(seen).toEqual(stored.map((row) => row.key));
    if (table !== 'files') expect(seen).toEqual(newestFirst);
  },
);
