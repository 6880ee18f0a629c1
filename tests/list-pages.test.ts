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
  /** Adds another row to the list. */
  make: () => Promise<{ id: number }>;
}

async function made(reader: TestUser, make: () => Promise<{ id: number }>): Promise<Scene> {
  const ids: number[] = [];
  for (let made = 0; made < COUNT; made += 1) ids.push((await make()).id);
  return { reader, ids, make };
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
      const scene = await ordersOf(seller, await aUser());
      return { ...scene, reader: seller, path: '/api/v1/transactions?as=seller' };
    },
  ],
  [
    "an admin's transactions of a store",
    'transaction',
    'transactions',
    async () => {
      const scene = await ordersOf(await aUser(), await aUser());
      const reader = await aUser({ role: 'admin' });
      return { ...scene, reader, path: `/api/v1/transactions?store_id=${scene.storeId}` };
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
  [
    'sessions',
    'auth',
    'sessions',
    async () => {
      const owner = await aUser();
      const scene = await made(owner, async () => {
        const family = randomUUID();
        const expires = new Date(Date.now() + 3_600_000);
        const token = 'INSERT INTO refresh_tokens (user_id, family_id, token_hash, expires_at) VALUES (?, ?, ?, ?)';
        await write(token, [owner.id, family, randomUUID(), expires]);
        const session = 'INSERT INTO sessions (user_id, family_id, expires_at) VALUES (?, ?, ?)';
        return { id: await write(session, [owner.id, family, expires]) };
      });
      return { ...scene, path: '/api/v1/auth/me/sessions' };
    },
  ],
  [
    'audit events',
    'auth',
    'audit_events',
    async () => {
      const { id } = await aUser();
      const insert = "INSERT INTO audit_events (event, user_id, request_id) VALUES ('login', ?, 'x')";
      const scene = await made(await aUser({ role: 'admin' }), async () => ({ id: await write(insert, [id]) }));
      return { ...scene, path: `/api/v1/auth/audit?user_id=${id}` };
    },
  ],
];

const setTime = (table: string, ids: number[]) =>
  write(`UPDATE ${table} SET created_at = '${MOMENT}' WHERE id IN (${ids.join()})`);

/** What the list shows of these rows, oldest first: ids, or the names of files. */
async function keysOf(table: string, ids: number[]): Promise<unknown[]> {
  if (table !== 'files') return ids;
  const files = await rows<{ stored_name: string }>(
    `SELECT stored_name FROM files WHERE id IN (${ids.join()}) ORDER BY id`,
  );
  return files.map((file) => file.stored_name);
}

const shownBy = (body: ListBody): unknown[] => body.data.map((item) => item.filename ?? item.id);

interface ListBody {
  data: Record<string, unknown>[];
  pagination: { next_cursor: string | null; [field: string]: unknown };
}

const get = async (app: string, path: string, reader: TestUser, query: object = {}) => {
  const response = await apps[app]?.http.get(path).query(query).set(reader.auth).expect(200);
  return { body: response?.body as ListBody, links: linksOf(response?.headers.link ?? '') };
};

/** The targets of a Link header by their relation. */
const linksOf = (header: string): Record<string, string> =>
  Object.fromEntries([...header.matchAll(/<([^>]*)>; rel="(\w+)"/g)].map(([, target, relation]) => [relation, target]));

test.each(lists)(
  '%s with equal times: the last created comes first, and each appears once over all pages',
  async (_, app, table, prepare) => {
    const { reader, ids, path } = await prepare();
    await setTime(table, ids);
    const seen: unknown[] = [];
    for (const page of [1, 2, 3, 4]) {
      const { body, links } = await get(app, path, reader, { page, limit: 2 });
      const next_cursor = page === 4 ? null : expect.any(String);
      expect(body.pagination).toEqual({ page, limit: 2, total: COUNT, next_cursor });
      expect(Object.keys(links)).toEqual([...(page < 4 ? ['next'] : []), ...(page > 1 ? ['prev'] : []), 'first']);
      if (links.prev) expect(shownBy((await get(app, links.prev, reader)).body)).toEqual(seen.slice(-2));
      seen.push(...shownBy(body));
      expect(shownBy((await get(app, links.first ?? '', reader)).body)).toEqual(seen.slice(0, 2));
    }
    expect(seen).toEqual((await keysOf(table, ids)).reverse());
  },
);

test.each(lists)(
  '%s: the cursor continues after the last row seen, whatever is inserted and deleted meanwhile',
  async (_, app, table, prepare) => {
    const { reader, ids, make, path } = await prepare();
    await setTime(table, ids);
    const keys = await keysOf(table, ids);
    const seen: unknown[] = [];
    let { body, links } = await get(app, path, reader, { limit: 2 });
    for (;;) {
      seen.push(...shownBy(body));
      await setTime(table, [(await make()).id]);
      // The row that the cursor names, and on the first page also one that is still to come.
      const deleted = [ids[COUNT - seen.length], ...(seen.length === 2 ? [ids[1]] : [])];
      await write(`DELETE FROM ${table} WHERE id IN (${deleted.join()})`);
      const cursor = body.pagination.next_cursor;
      if (cursor === null) break;
      const followed = await get(app, links.next ?? '', reader);
      ({ body, links } = await get(app, path, reader, { limit: 2, cursor }));
      expect(body).toEqual(followed.body);
      const isLast = seen.length === COUNT - 3;
      expect(body.pagination).toEqual({ limit: 2, next_cursor: isLast ? null : expect.any(String) });
      expect(Object.keys(links)).toEqual([...(isLast ? [] : ['next']), 'first']);
    }
    expect(seen).toEqual(keys.filter((_, index) => index !== 1).reverse());
  },
);

test.each(lists)(
  '%s: a cursor is refused with other filters, for another user and changed',
  async (_, app, __, prepare) => {
    const { reader, path } = await prepare();
    const withoutQuery = path.replace(/\?.*/, '');
    const { body } = await get(app, path, reader, { limit: 2 });
    const cursor = body.pagination.next_cursor ?? '';
    const refusal = async (query: object, by = reader, at = path): Promise<unknown> => {
      const response = await apps[app]?.http.get(at).query(query).set(by.auth);
      return [response?.status, response?.body.code, response?.body.errors?.[0].path];
    };
    const refused = [400, 'invalid_request', 'cursor'];
    expect(await refusal({ cursor: `A${cursor}` })).toEqual(refused);
    expect(await refusal({ cursor, page: 2 })).toEqual([400, 'invalid_request', 'page']);
    if (!/catalog|categories/.test(path))
      expect(await refusal({ cursor }, await aUser({ role: reader.role }))).toEqual(refused);
    const filters = { products: 'category_id', transactions: 'min_total', addresses: 'city', stores: 'search' };
    const filter = Object.entries(filters).find(([list]) => withoutQuery.endsWith(list))?.[1];
    if (filter) expect(await refusal({ cursor, [filter]: '1' })).toEqual(refused);
    if (withoutQuery !== path) expect(await refusal({ cursor }, reader, withoutQuery)).toEqual(refused);
    await get(app, path, reader, { cursor, limit: 3, unknown: 'x' });
  },
);

test.each(lists)('%s: a page beyond 10,000 items is refused, however long the list is', async (_, app, __, prepare) => {
  const { reader, path } = await prepare();
  const { body } = await get(app, path, reader, { page: 100, limit: 100 });
  expect(body).toEqual({ data: [], pagination: { page: 100, limit: 100, total: COUNT, next_cursor: null } });
  for (const query of [{ page: 101, limit: 100 }, { page: 1001 }, { page: 10_001, limit: 1 }, { page: 2 ** 53 - 1 }]) {
    const response = await apps[app]?.http.get(path).query(query).set(reader.auth).expect(400);
    expect(response?.body).toMatchObject({
      code: 'page_too_deep',
      errors: [{ in: 'query', path: 'page', code: 'too_big' }],
    });
    expect(response?.body.detail).toContain('cursor');
  }
});
