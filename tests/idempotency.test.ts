import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type ServiceName, serviceNames } from '@shop/shop';
import { anAddress, aPng, aProduct, aStore, aUser, rows, type TestApp, type TestUser, write } from '@shop/testing';
import { type StartedService, startAll } from './support/all-services';

/** Idempotency keys, on every write that accepts them, with two replicas of each service. */

const folder = mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '', 'uploads-'));
let here: StartedService[];
let there: StartedService[];

beforeAll(async () => {
  // The keys do not need Redis.
  [here, there] = await Promise.all([
    startAll({ UPLOAD_PATH: folder }),
    startAll({ UPLOAD_PATH: folder, REDIS_HOST: '' }),
  ]);
});
afterAll(() => Promise.all([...here, ...there].map(({ app }) => app.close())));

const appOf = (service: ServiceName, replica = here): TestApp => {
  const started = replica.find(({ name }) => name === service);
  if (!started) throw new Error(`${service} did not start`);
  return started.app;
};

interface Body {
  json?: object;
  form?: FormData;
}

interface Write {
  service: ServiceName;
  status: number;
  role?: 'admin';
  /** Creates what the write needs. @returns a path, a body, and another body that is valid too */
  prepare(user: TestUser): Promise<{ path: string; body: () => Body; other: () => Body }>;
  /** How often the write took effect. */
  effects(user: TestUser): Promise<number>;
  /** Deletes what it wrote. */
  undo(user: TestUser): Promise<unknown>;
}

function form(fields: Record<string, string>, field: string, bytes = aPng(100)): Body {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  data.set(field, new Blob([bytes], { type: 'image/png' }), 'dot.png');
  return { form: data };
}

const count = async (query: string, user: TestUser): Promise<number> =>
  (await rows(query.replace('SELECT', 'SELECT 1 AS one'), [user.id])).length;
const filesOf = async (user: TestUser): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(`${user.id}_`));

const ownTable = (table: string) => ({
  effects: (user: TestUser) => count(`SELECT FROM ${table} WHERE user_id = ?`, user),
  undo: (user: TestUser) => write(`DELETE FROM ${table} WHERE user_id = ?`, [user.id]),
});

const products = {
  effects: (user: TestUser) =>
    count('SELECT FROM products WHERE store_id IN (SELECT id FROM stores WHERE user_id = ?)', user),
  undo: (user: TestUser) => write('DELETE FROM stores WHERE user_id = ?', [user.id]),
};

const writes: Record<string, Write> = {
  'opening a store': {
    service: 'store',
    status: 201,
    prepare: async () => ({
      path: '/api/v1/stores',
      body: () => ({ json: { name: 'Mugs' } }),
      other: () => ({ json: { name: 'Cups' } }),
    }),
    ...ownTable('stores'),
  },
  'adding an address': {
    service: 'address',
    status: 201,
    prepare: async () => ({
      path: '/api/v1/addresses',
      body: () => ({ json: { address: 'Main Street 1', city: 'Ulm' } }),
      other: () => ({ json: { address: 'Main Street 1', city: 'Bonn' } }),
    }),
    ...ownTable('addresses'),
  },
  'adding a category': {
    service: 'auth',
    status: 201,
    role: 'admin',
    prepare: async ({ id }) => ({
      path: '/api/v1/categories',
      body: () => ({ json: { name: `Category of ${id}` } }),
      other: () => ({ json: { name: `Other category of ${id}` } }),
    }),
    effects: ({ id }) =>
      rows('SELECT id FROM categories WHERE name LIKE ?', [`%ategory of ${id}`]).then((all) => all.length),
    undo: ({ id }) => write('DELETE FROM categories WHERE name LIKE ?', [`%ategory of ${id}`]),
  },
  'adding a product as JSON': {
    service: 'product',
    status: 201,
    async prepare(owner) {
      await aStore({ owner });
      return {
        path: '/api/v1/products',
        body: () => ({ json: { name: 'Mug', price: 12.5, stock: 3 } }),
        other: () => ({ json: { name: 'Mug', price: 12.51, stock: 3 } }),
      };
    },
    ...products,
  },
  'adding a product with an image': {
    service: 'product',
    status: 201,
    async prepare(owner) {
      await aStore({ owner });
      return {
        path: '/api/v1/products',
        body: () => form({ name: 'Mug', price: '12.5' }, 'image'),
        other: () => form({ name: 'Mug', price: '12.5' }, 'image', aPng(101)),
      };
    },
    ...products,
  },
  'an upload': {
    service: 'file',
    status: 201,
    prepare: async () => ({
      path: '/api/v1/files/upload',
      body: () => form({}, 'file'),
      other: () => form({}, 'file', aPng(101)),
    }),
    ...ownTable('files'),
  },
  'a stock change': {
    service: 'product',
    status: 200,
    async prepare(owner) {
      const { id } = await aProduct({ store: await aStore({ owner }), stock: 10 });
      return {
        path: `/api/v1/products/${id}/stock`,
        body: () => ({ json: { change: -2, note: 'Broken' } }),
        other: () => ({ json: { change: -3, note: 'Broken' } }),
      };
    },
    effects: (user) =>
      count(
        `SELECT FROM stock_movements m JOIN products p ON p.id = m.product_id JOIN stores s ON s.id = p.store_id
         WHERE s.user_id = ? AND m.reason = 'edit'`,
        user,
      ),
    undo: products.undo,
  },
  'an order': {
    service: 'transaction',
    status: 201,
    async prepare(owner) {
      const product = await aProduct({ stock: 10 });
      const order = { address_id: (await anAddress(owner)).id, items: [{ product_id: product.id, quantity: 1 }] };
      return {
        path: '/api/v1/transactions',
        body: () => ({ json: order }),
        other: () => ({ json: { ...order, expected_total: 10 } }),
      };
    },
    effects: ownTable('transactions').effects,
    undo: ({ id }) => write('DELETE FROM addresses WHERE user_id = ?', [id]),
  },
};

interface Answer {
  status: number;
  text: string;
  location: string | null;
  replayed: string | null;
  code?: string;
}

async function send(
  service: ServiceName,
  path: string,
  { json, form }: Body,
  user: TestUser,
  key: string,
  replica = here,
) {
  const response = await fetch(appOf(service, replica).url + path, {
    method: 'POST',
    headers: { ...user.auth, 'idempotency-key': key, ...(json ? { 'content-type': 'application/json' } : {}) },
    body: form ?? JSON.stringify(json),
  });
  const text = await response.text();
  const answer: Answer = {
    status: response.status,
    text,
    location: response.headers.get('location'),
    replayed: response.headers.get('idempotent-replayed'),
  };
  if (!response.ok) answer.code = JSON.parse(text).code;
  return answer;
}

const age = (user: TestUser, minutes: number) =>
  write(`UPDATE idempotency_keys SET created_at = NOW(3) - INTERVAL ${minutes} MINUTE WHERE user_id = ?`, [user.id]);

describe.each(Object.entries(writes))('%s', (_, { service, status, role, prepare, effects, undo }) => {
  let user: TestUser;
  let request: Awaited<ReturnType<Write['prepare']>>;
  const newUser = () => aUser(role ? { role } : {});
  const sendTo = (replica: StartedService[], body = request.body(), by = user) =>
    send(service, request.path, body, by, 'the key', replica);

  const newEffects = async () => (await effects(user)) - before;
  let before: number;
  beforeEach(async () => {
    user = await newUser();
    request = await prepare(user);
    before = await effects(user);
  });

  test('repeated at both replicas gets the first response, byte for byte, even after what it wrote is gone', async () => {
    const first = await sendTo(here);
    expect([first.status, first.replayed]).toEqual([status, null]);
    for (const replica of [there, here]) expect(await sendTo(replica)).toEqual({ ...first, replayed: 'true' });
    expect(await newEffects()).toBe(1);
    await undo(user);
    expect(await sendTo(there)).toEqual({ ...first, replayed: 'true' });
  });

  test('ten at once take effect once, get the same response, and leave one file at most', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => sendTo(index % 2 ? here : there)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(status));
    expect(new Set(answers.map(({ text, location }) => `${location} ${text}`)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1);
    expect(await newEffects()).toBe(1);
    expect(await filesOf(user)).toHaveLength(request.body().form ? 1 : 0);
  });

  test('with another body is refused, before and after', async () => {
    await sendTo(here);
    const refused = await sendTo(there, request.other());
    expect([refused.status, refused.code, refused.replayed]).toEqual([422, 'idempotency_key_reused', null]);
    expect((await sendTo(here)).replayed).toBe('true');
    expect(await newEffects()).toBe(1);
    expect(await filesOf(user)).toHaveLength(request.body().form ? 1 : 0);
  });

  test('the same key of another user is another key', async () => {
    await sendTo(here);
    const other = await newUser();
    const theirs = await prepare(other);
    const answer = await send(service, theirs.path, theirs.body(), other, 'the key');
    expect([answer.status, answer.replayed]).toEqual([status, null]);
  });

  test('takes effect again after 24 hours, not before', async () => {
    await sendTo(here);
    await age(user, 1439);
    expect((await sendTo(there)).replayed).toBe('true');
    await age(user, 1441);
    const again = await sendTo(here, request.other());
    expect([again.status, again.replayed]).toEqual([status, null]);
    expect(await newEffects()).toBe(2);
    expect(await sendTo(there, request.other())).toEqual({ ...again, replayed: 'true' });
  });
});

describe('the key', () => {
  let user: TestUser;
  beforeEach(async () => {
    user = await aUser();
  });

  test('on another path is another key, also for another id', async () => {
    const store = await aStore({ owner: user });
    const [one, two] = [await aProduct({ store, stock: 1 }), await aProduct({ store, stock: 5 })];
    const change = (id: number) => send('product', `/api/v1/products/${id}/stock`, { json: { change: 1 } }, user, 'k');
    expect(await change(one.id)).toMatchObject({ status: 200, text: '{"stock":2}', replayed: null });
    expect(await change(two.id)).toMatchObject({ status: 200, text: '{"stock":6}', replayed: null });
    expect(await change(one.id)).toMatchObject({ status: 200, text: '{"stock":2}', replayed: 'true' });
    expect(await send('store', '/api/v1/stores', { json: { name: 'Mugs' } }, user, 'k')).toMatchObject({ status: 201 });
  });

  test('is not a second one for another spelling of the path or for a query', async () => {
    const { id } = await aProduct({ store: await aStore({ owner: user }), stock: 1 });
    const change = (path: string) => send('product', path, { json: { change: 1 } }, user, 'k');
    await change(`/api/v1/products/${id}/stock`);
    const encoded = `%3${String(id)[0]}${String(id).slice(1)}`;
    for (const path of [`/api/v1/products/${encoded}/stock`, `/api/v1/products/${id}/stock?a=1`]) {
      expect(await change(path)).toMatchObject({ text: '{"stock":2}', replayed: 'true' });
    }
  });

  test('stays free after a refusal, also when it comes from the database', async () => {
    const admin = await aUser({ role: 'admin' });
    const name = randomUUID();
    const taken = await write('INSERT INTO categories (name, name_key) VALUES (?, ?)', [name, name]);
    const add = () => send('auth', '/api/v1/categories', { json: { name } }, admin, 'k');
    expect(await add()).toMatchObject({ status: 409, code: 'category_exists' });
    await write('DELETE FROM categories WHERE id = ?', [taken]);
    expect(await add()).toMatchObject({ status: 201, replayed: null });
  });

  test('compares JSON without whitespace and order of fields, but a default that is spelled out is another body', async () => {
    await aStore({ owner: user });
    const add = async (body: string) =>
      (
        await appOf('product')
          .http.post('/api/v1/products')
          .set({ ...user.auth, 'Idempotency-Key': 'k', 'Content-Type': 'application/json' })
          .send(body)
      ).status;
    expect(await add('{"name":"Mug","price":1.5}')).toBe(201);
    expect(await add('{ "price": 1.50,\n "name": "Mug" }')).toBe(201);
    expect(await add('{"name":"Mug","price":1.5,"stock":0}')).toBe(422);
    expect(await products.effects(user)).toBe(1);
  });

  test('compares forms by their fields and the bytes of their file, and never with JSON', async () => {
    await aStore({ owner: user });
    const add = (body: Body) => send('product', '/api/v1/products', body, user, 'k');
    const changed = aPng(100);
    changed[99] = 0;
    await add(form({ name: 'Mug', price: '1' }, 'image'));
    expect(await add(form({ price: '1', name: 'Mug' }, 'image'))).toMatchObject({ status: 201, replayed: 'true' });
    for (const body of [
      form({ name: 'Mug', price: '1' }, 'image', changed),
      form({ name: 'Mug', price: '1.0' }, 'image'),
      { json: { name: 'Mug', price: 1 } },
    ]) {
      expect(await add(body)).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    }
    expect(await filesOf(user)).toHaveLength(1);
  });

  test('gets a response that an earlier release has stored as it is, whatever the response looks like today', async () => {
    const open = () => send('store', '/api/v1/stores', { json: { name: 'Mugs' } }, user, 'k');
    await open();
    const response = '{ "id": 7, "name": "Mugs" }';
    await write('UPDATE idempotency_keys SET response = ? WHERE user_id = ?', [response, user.id]);
    expect(await open()).toMatchObject({ status: 201, text: response, location: '/api/v1/stores/7', replayed: 'true' });
  });

  test('is deleted with its response after 24 hours', async () => {
    await send('store', '/api/v1/stores', { json: { name: 'Mugs' } }, user, 'k');
    await age(user, 1441);
    await appOf('transaction')
      .jobs.find(({ name }) => name === 'forget_expired_idempotency_keys')
      ?.run();
    expect(await rows('SELECT 1 AS one FROM idempotency_keys WHERE user_id = ?', [user.id])).toEqual([]);
  });

  test.each(Object.values(writes).map(({ service, prepare }) => [service, prepare] as const))(
    'that is empty is refused by the %s service',
    async (service, prepare) => {
      const admin = await aUser({ role: 'admin' });
      const { path, body } = await prepare(admin);
      expect(await send(service, path, body(), admin, '')).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );
});

test('every POST of a user accepts a key, except those of accounts', () => {
  const withoutKey = here
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ method, idempotent }) => method === 'post' && !idempotent)
    .map(({ path }) => path);
  expect(serviceNames).toContain('auth');
  expect(withoutKey.filter((path) => !path.startsWith('/api/v1/auth/'))).toEqual([]);
});
