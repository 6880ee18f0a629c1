import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { accessTokenIssuer, secretKey } from '@shop/core/auth';
import { aProduct, aStore, aUser, rows, startApp, type TestApp, type TestUser, testEnv, write } from '@shop/testing';
import { storeService } from '../service';

const PATH = '/api/v1/stores';
let app: TestApp;
let folder: string;
let owner: TestUser;
let stranger: TestUser;
let admin: TestUser;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-stores-'));
  app = await startApp(storeService, { UPLOAD_PATH: folder });
});
beforeEach(async () => {
  [owner, stranger, admin] = await Promise.all([aUser(), aUser(), aUser({ role: 'admin' })]);
});
afterAll(() => app.close());

const storeRow = async (id: number) =>
  (await rows<Record<string, unknown>>('SELECT * FROM stores WHERE id = ?', [id]))[0];
const addOrder = (storeId: number, buyer: { id: number }) =>
  write(
    `INSERT INTO transactions (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total)
     VALUES (?, ?, '', '', '', '', 1)`,
    [buyer.id, storeId],
  );

describe('POST /api/v1/stores', () => {
  const open = (body: object, by = owner) => app.http.post(PATH).set(by.auth).send(body);

  test('opens a store, and another one for the same user', async () => {
    for (const name of ['  Tea 🍵 House ', 'Second']) {
      const { body, headers } = await open({ name }).expect(201);
      expect(body).toEqual({ id: expect.any(Number) });
      expect(headers.location).toBe(`${PATH}/${body.id}`);
      expect(await storeRow(body.id)).toMatchObject({ user_id: owner.id, name: name.trim() });
    }
  });

  test('limits the name to 255 characters, not bytes', async () => {
    const { body } = await open({ name: '🍵'.repeat(255) }).expect(201);
    expect(await storeRow(body.id)).toMatchObject({ name: '🍵'.repeat(255) });
  });

  test.each([
    {},
    { name: '' },
    { name: '  ' },
    { name: 'x'.repeat(256) },
    { name: 'a\0' },
    { name: 7 },
    { name: null },
  ])('responds 400 to %j and names the field', async (body) => {
    const response = await open(body).expect(400);
    expect(response.body.errors).toEqual([expect.objectContaining({ in: 'body', path: 'name' })]);
    expect(await rows('SELECT id FROM stores WHERE user_id = ?', [owner.id])).toEqual([]);
  });

  test('responds 400 to unknown fields, so nobody can open a store for another user', async () => {
    const { body } = await open({ name: 'x', user_id: stranger.id }).expect(400);
    expect(body.errors).toEqual([
      { in: 'body', path: 'user_id', code: 'unknown_field', message: 'is not a known field' },
    ]);
  });

  test('responds 400 to broken JSON, 413 to a large body, 415 to a form, 401 without a token or with a deleted user', async () => {
    await app.http.post(PATH).set(owner.auth).type('json').send('{"name":').expect(400);
    await open({ name: 'x'.repeat(110_000) }).expect(413);
    await app.http.post(PATH).set(owner.auth).type('form').send('name=x').expect(415);
    await app.http
      .post(PATH)
      .send({ name: 'x' })
      .expect(401)
      .expect('WWW-Authenticate', /^Bearer /);
    const { token } = accessTokenIssuer(secretKey(String(testEnv().JWT_SECRET))).issue({
      id: 999_999_999,
      role: 'user',
    });
    await app.http.post(PATH).set('Authorization', `Bearer ${token}`).send({ name: 'x' }).expect(401);
  });
});

describe('GET /api/v1/stores', () => {
  const list = (query: object, by = owner) => app.http.get(PATH).query(query).set(by.auth);
  const names = async (query: object, by = owner): Promise<string[]> => {
    const { body } = await list(query, by).expect(200);
    return body.data.map(({ name }: { name: string }) => name);
  };

  test("lists the caller's own stores, newest first, page by page", async () => {
    for (const name of ['1', '2', '3']) await aStore({ owner, name });
    await aStore({ owner: stranger });
    const { body } = await list({ limit: 2 }).expect(200);
    expect(body.pagination).toEqual({ page: 1, limit: 2, total: 3, next_cursor: expect.any(String) });
    expect(body.data).toEqual([
      { id: expect.any(Number), user_id: owner.id, name: '3', created_at: expect.stringMatching(/^\d{4}-.*Z$/) },
      expect.objectContaining({ name: '2' }),
    ]);
    expect(await names({ limit: 2, page: 2 })).toEqual(['1']);
    expect((await list({ page: 9 }).expect(200)).body).toEqual({
      data: [],
      pagination: { page: 9, limit: 10, total: 3, next_cursor: null },
    });
  });

  test('lists all stores for an admin', async () => {
    const { id } = await aStore({ owner });
    const { body } = await list({ limit: 100 }, admin).expect(200);
    expect(body.data.map((store: { id: number }) => store.id)).toContain(id);
  });

  test('searches for the literal text and ignores case', async () => {
    for (const name of ['100% Tea', 'tea_pot', 'Coffee']) await aStore({ owner, name });
    expect(await names({ search: ' TEA ' })).toEqual(['tea_pot', '100% Tea']);
    expect(await names({ search: '%' })).toEqual(['100% Tea']);
    expect(await names({ search: '_' })).toEqual(['tea_pot']);
    expect(await names({ search: '\\' })).toEqual([]);
    expect(await names({ search: 'téa' })).toEqual([]);
    expect(await names({ search: '', colour: 'red' })).toHaveLength(3);
  });

  test('responds 400 and names every wrong parameter, 401 without a token', async () => {
    const { body } = await list({ page: 0, limit: '1.5', search: 'x'.repeat(256) }).expect(400);
    expect(body.errors.map(({ path: where }: { path: string }) => where)).toEqual(['page', 'limit', 'search']);
    await app.http.get(PATH).expect(401);
  });
});

describe('GET /api/v1/stores/:id', () => {
  test('shows a store to its owner and to admins only', async () => {
    const { id } = await aStore({ owner, name: 'Tea' });
    for (const { auth } of [owner, admin]) {
      const { body } = await app.http.get(`${PATH}/${id}`).set(auth).expect(200);
      expect(body).toEqual({ id, user_id: owner.id, name: 'Tea', created_at: expect.any(String) });
    }
    expect((await app.http.get(`${PATH}/${id}`).set(stranger.auth).expect(403)).body.code).toBe('forbidden');
    await app.http.get(`${PATH}/${id}`).expect(401);
  });

  test('responds 404 to an unknown id and 400 to an invalid one', async () => {
    expect((await app.http.get(`${PATH}/999999999`).set(owner.auth).expect(404)).body.code).toBe('not_found');
    for (const id of ['0', '-1', '1.5', '1abc', '99999999999999999999']) {
      await app.http.get(`${PATH}/${id}`).set(owner.auth).expect(400);
    }
  });
});

describe('PUT /api/v1/stores/:id', () => {
  const rename = (id: number, body: object, by = owner) => app.http.put(`${PATH}/${id}`).set(by.auth).send(body);

  test('renames a store for its owner and for an admin, also to its current name', async () => {
    const { id } = await aStore({ owner });
    for (const by of [owner, owner, admin]) {
      await rename(id, { name: `by ${by.role}` }, by).expect(204, '');
      expect(await storeRow(id)).toMatchObject({ name: `by ${by.role}`, user_id: owner.id });
    }
  });

  test('responds 400, 401, 403 and 404 and changes nothing', async () => {
    const { id } = await aStore({ owner, name: 'Tea' });
    for (const body of [{}, { name: ' ' }, { name: 'x', user_id: stranger.id }]) await rename(id, body).expect(400);
    await app.http.put(`${PATH}/${id}`).send({ name: 'x' }).expect(401);
    await rename(id, { name: 'x' }, stranger).expect(403);
    await rename(id, { name: 'x' }, stranger).set('If-Match', '"another"').expect(403);
    await rename(999_999_999, { name: 'x' }).expect(404);
    expect(await storeRow(id)).toMatchObject({ name: 'Tea', user_id: owner.id });
  });
});

describe('DELETE /api/v1/stores/:id', () => {
  const remove = (id: number, by = owner) => app.http.delete(`${PATH}/${id}`).set(by.auth);

  /** A product as the product service stores it, with its image file. */
  async function aProductWithImage(store: { id: number }): Promise<string> {
    const { id } = await aProduct({ store });
    const image = `${owner.id}_${id.toString(16).padStart(32, '0')}.png`;
    await writeFile(path.join(folder, image), 'png');
    await write('UPDATE products SET image = ? WHERE id = ?', [image, id]);
    return image;
  }

  test("deletes the store's products and their images, and nothing of another store", async () => {
    const [store, other] = [await aStore({ owner }), await aStore({ owner })];
    const gone = [await aProductWithImage(store), await aProductWithImage(store)];
    await aProduct({ store });
    const kept = await aProductWithImage(other);
    await remove(store.id).expect(204, '');
    expect(await storeRow(store.id)).toBeUndefined();
    expect(await rows('SELECT id FROM products WHERE store_id = ?', [store.id])).toEqual([]);
    expect(await rows('SELECT id FROM products WHERE store_id = ?', [other.id])).toHaveLength(1);
    const files = await readdir(folder);
    for (const image of gone) expect(files).not.toContain(image);
    expect(files).toContain(kept);
    await remove(store.id).expect(404);
  });

  test('deletes the store even if an image file cannot be deleted', async () => {
    const broken = await startApp(storeService, { UPLOAD_PATH: '/dev/null' });
    try {
      const store = await aStore({ owner });
      await aProductWithImage(store);
      await broken.http.delete(`${PATH}/${store.id}`).set(owner.auth).expect(204);
      expect(await storeRow(store.id)).toBeUndefined();
    } finally {
      await broken.close();
    }
  });

  test('responds 409 for a store with orders and keeps it, its products and their images', async () => {
    const store = await aStore({ owner });
    const image = await aProductWithImage(store);
    await addOrder(store.id, stranger);
    const { body } = await remove(store.id).expect(409);
    expect(body.code).toBe('store_has_transactions');
    expect(await rows('SELECT id FROM products WHERE store_id = ?', [store.id])).toHaveLength(1);
    expect(await readdir(folder)).toContain(image);
  });

  test('responds 401, 403 and 404; an admin may delete', async () => {
    const { id } = await aStore({ owner });
    await app.http.delete(`${PATH}/${id}`).expect(401);
    await remove(id, stranger).expect(403);
    await remove(999_999_999).expect(404);
    expect(await storeRow(id)).toBeDefined();
    await remove(id, admin).expect(204);
  });

  test('leaves no product behind while products are being added', async () => {
    const store = await aStore({ owner });
    const adding = Array.from({ length: 10 }, () => aProduct({ store }).catch(() => undefined));
    await remove(store.id).expect(204);
    await Promise.all(adding);
    expect(await rows('SELECT id FROM products WHERE store_id = ?', [store.id])).toEqual([]);
  });
});
