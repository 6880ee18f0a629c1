import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { authService } from '@shop/auth';
import { newStoredName } from '@shop/shop';
import {
  anAddress,
  aStore,
  aUser,
  rows,
  startApp,
  type TestApp,
  type TestUser,
  useOwnDatabase,
  write,
} from '@shop/testing';
import { aPerson, aRegisteredUser, logIn, type Registered, refresh } from '../../tests/people';

let app: TestApp;
let seededAdmin: TestUser;

beforeAll(async () => {
  await useOwnDatabase();
  app = await startApp(authService, { UPLOAD_PATH: uploads });
  seededAdmin = await aUser({ role: 'admin' });
});
afterAll(() => app.close());

const uploads = mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '', 'uploads-'));
const leave = (user: Registered, current_password = user.password) =>
  app.http.delete('/api/v1/auth/me').set(user.auth).send({ current_password });
const count = async (table: string, condition: string, values: number[]) =>
  Number((await rows<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${condition}`, values))[0]?.n);

async function anOrder(buyerId: number, storeId: number, status: string, addressId: number | null = null) {
  const id = await write(
    `INSERT INTO transactions (user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total, status)
     VALUES (?, ?, ?, 'Home', 'Main Street 1', 'Ulm', '89073', 12.5, ?)`,
    [buyerId, storeId, addressId, status],
  );
  await write(
    "INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity) VALUES (?, 1, 'Mug', 12.5, 1)",
    [id],
  );
  return id;
}

/** Registers a user with a store, a product with an image, an upload, an address and two orders. */
async function aFullAccount() {
  const user = await aRegisteredUser(app);
  const [store] = await rows<{ id: number }>('SELECT id FROM stores WHERE user_id = ?', [user.id]);
  const storeId = store?.id ?? 0;
  const files = [newStoredName(user.id, 'png'), newStoredName(user.id, 'pdf')].map((name) => path.join(uploads, name));
  for (const file of files) writeFileSync(file, 'x');
  const productId = await write(
    "INSERT INTO products (store_id, name, description, price, stock, image) VALUES (?, 'Mug', '', 12.5, 3, ?)",
    [storeId, path.basename(files[0] ?? '')],
  );
  await write(
    "INSERT INTO files (user_id, stored_name, original_name, content_type, size_bytes) VALUES (?, ?, 'a.pdf', 'application/pdf', 1)",
    [user.id, path.basename(files[1] ?? '')],
  );
  await write(
    `INSERT INTO idempotency_keys (user_id, route, idempotency_key, request_hash, response)
     VALUES (?, 'POST /api/v1/stores', 'k', REPEAT('0', 64), '{"id":7}')`,
    [user.id],
  );
  const address = await anAddress({ id: user.id });
  const bought = await anOrder(user.id, (await aStore()).id, 'pending', address.id);
  return { user, storeId, productId, files, bought };
}

describe('deleting an account', () => {
  test('everything but the orders goes, and the address is free again', async () => {
    const { user, storeId, productId, files, bought } = await aFullAccount();
    await leave(user).expect(204);

    for (const file of files) expect(existsSync(file)).toBe(false);
    for (const table of [
      'addresses',
      'files',
      'sessions',
      'known_clients',
      'email_verifications',
      'idempotency_keys',
      'stores',
    ]) {
      expect([table, await count(table, 'user_id = ?', [user.id])]).toEqual([table, 0]);
    }
    expect(await count('products', 'id = ?', [productId])).toBe(0);
    expect(await count('stores', 'id = ?', [storeId])).toBe(0);
    expect(await rows('SELECT ship_address, address_id, user_id FROM transactions WHERE id = ?', [bought])).toEqual([
      { ship_address: 'Main Street 1', address_id: null, user_id: user.id },
    ]);
    const [row] = await rows<Record<string, unknown>>('SELECT * FROM users WHERE id = ?', [user.id]);
    expect(row).toMatchObject({
      name: 'Deleted user',
      phone: null,
      password_hash: null,
      google_sub: null,
      role: 'user',
    });
    expect(JSON.stringify(row)).not.toContain(user.email);

    await app.http.get(`/api/v1/auth/users/${user.id}`).set(seededAdmin.auth).expect(404);
    const list = await app.http.get('/api/v1/auth/users').query({ search: 'Deleted user' }).set(seededAdmin.auth);
    expect(list.body.data).toEqual([]);
    const revoked = await app.http.get('/api/v1/auth/me').set(user.auth).expect(401);
    expect([revoked.headers['www-authenticate'], revoked.body.detail]).toEqual([
      'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"',
      'The access token is invalid.',
    ]);
    await refresh(app, user.set.refresh_token).expect(401);
    await logIn(app, user).expect(401);
    await app.http
      .post('/api/v1/auth/register')
      .send(aPerson({ email: user.email, phone: user.phone }))
      .expect(201);
  });

  test('a store that has orders stays for them, without name and products', async () => {
    const { user, storeId } = await aFullAccount();
    const buyer = await aUser();
    const sold = await anOrder(buyer.id, storeId, 'completed');
    await leave(user).expect(204);
    expect(await rows('SELECT name FROM stores WHERE id = ?', [storeId])).toEqual([{ name: 'Closed store' }]);
    expect(await count('products', 'store_id = ?', [storeId])).toBe(0);
    expect(await count('transactions', 'id = ?', [sold])).toBe(1);
    expect(await count('product_logs', 'transaction_id = ?', [sold])).toBe(1);
  });

  test.each(['pending', 'paid', 'shipped'])('is refused while a store has a %s order', async (status) => {
    const { user, storeId, files } = await aFullAccount();
    const buyer = await aUser();
    const order = await anOrder(buyer.id, storeId, status);
    const { body } = await leave(user).expect(409);
    expect(body.code).toBe('store_has_open_orders');
    expect(existsSync(files[0] ?? '')).toBe(true);
    await logIn(app, user).expect(200);
    await write("UPDATE transactions SET status = 'cancelled' WHERE id = ?", [order]);
    await leave(user).expect(204);
  });

  test('with If-Match, only if the account is as the client knows it', async () => {
    const user = await aRegisteredUser(app);
    const me = () => app.http.get('/api/v1/auth/me').set(user.auth);
    const { etag = '' } = (await me().expect(200)).headers;
    await write("UPDATE users SET name = 'Another name' WHERE id = ?", [user.id]);
    await leave(user, 'not the password').set('If-Match', etag).expect(403);
    await leave(user).set('If-Match', etag).expect(412);
    const { headers } = await me().expect(200);
    await leave(user)
      .set('If-Match', headers.etag ?? '')
      .expect(204);
  });

  test('needs the password', async () => {
    const user = await aRegisteredUser(app);
    expect((await leave(user, 'a wrong password').expect(403)).body.code).toBe('wrong_password');
    await app.http.delete('/api/v1/auth/me').set(user.auth).send({}).expect(400);
    await app.http.delete('/api/v1/auth/me').send({ current_password: user.password }).expect(401);
    await logIn(app, user).expect(200);
  });

  test('twice at once deletes once', async () => {
    const { user } = await aFullAccount();
    const statuses = (await Promise.all([leave(user), leave(user)])).map(({ status }) => status).sort();
    expect(statuses[0]).toBe(204);
    expect([204, 401, 403]).toContain(statuses[1]);
  });

  test('an admin deletes others; users and demoted admins do not', async () => {
    const { user } = await aFullAccount();
    const stranger = await aRegisteredUser(app);
    const remove = (auth: { Authorization: string }, id: number) =>
      app.http.delete(`/api/v1/auth/users/${id}`).set(auth);
    await remove(stranger.auth, user.id).expect(403);
    const demoted = await aUser({ role: 'admin' });
    await write("UPDATE users SET role = 'user' WHERE id = ?", [demoted.id]);
    await remove(demoted.auth, user.id).expect(403);
    await remove(seededAdmin.auth, user.id).expect(204);
    await remove(seededAdmin.auth, user.id).expect(404);
    await remove(seededAdmin.auth, 999_999).expect(404);
  });

  test('of several admins who leave at once, one remains', async () => {
    await write("UPDATE users SET role = 'user'", []);
    const admins = await Promise.all(Array.from({ length: 4 }, () => aRegisteredUser(app)));
    await write(
      "UPDATE users SET role = 'admin' WHERE id IN (?, ?, ?, ?)",
      admins.map(({ id }) => id),
    );
    const responses = await Promise.all(admins.map((admin) => leave(admin)));
    expect(responses.map(({ status }) => status).sort()).toEqual([204, 204, 204, 409]);
    expect(responses.find(({ status }) => status === 409)?.body.code).toBe('last_admin');
    expect(await count('users', "role = 'admin'", [])).toBe(1);
    await write("UPDATE users SET role = 'admin' WHERE id = ?", [seededAdmin.id]);
  });
});

describe('an export', () => {
  test('has everything that the shop keeps about the user, and no secret', async () => {
    const { user, storeId, productId, bought } = await aFullAccount();
    const response = await app.http.get('/api/v1/auth/me/export').set(user.auth).expect(200);
    expect(response.headers['cache-control']).toMatch(/no-store|private/);
    expect(response.body).toMatchObject({
      exported_at: expect.any(String),
      user: { id: user.id, email: user.email, phone: user.phone, has_password: true, google_linked: false },
      sessions: [{ ip: expect.any(String) }],
      known_clients: [{ client: expect.any(String) }],
      idempotency_keys: [{ request: 'POST /api/v1/stores', key: 'k', response: '{"id":7}' }],
      stores: [{ id: storeId }],
      products: [{ id: productId, name: 'Mug', price: 12.5, stock: 3 }],
      addresses: [{ address: expect.any(String) }],
      files: [{ original_name: 'a.pdf', size: 1 }],
      transactions: [
        {
          id: bought,
          total: 12.5,
          shipping_address: { address: 'Main Street 1', city: 'Ulm' },
          logs: [{ product_name: 'Mug', product_price: 12.5, quantity: 1 }],
        },
      ],
    });
    const [row] = await rows<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = ?', [user.id]);
    expect(response.text).not.toContain(row?.password_hash);
  });

  test("has nothing of others, and an admin gets another user's", async () => {
    const [{ user }, { user: other }] = [await aFullAccount(), await aFullAccount()];
    const own = await app.http.get('/api/v1/auth/me/export').set(user.auth).expect(200);
    expect(own.text).not.toContain(other.email);
    expect(own.body.transactions).toHaveLength(1);
    const path = `/api/v1/auth/users/${user.id}/export`;
    const byAdmin = await app.http.get(path).set(seededAdmin.auth).expect(200);
    const exported = expect.objectContaining({ event: 'account_exported' });
    const audit_events = [...own.body.audit_events, exported];
    expect(byAdmin.body).toEqual({ ...own.body, exported_at: expect.any(String), audit_events });
    await app.http.get(path).set(other.auth).expect(403);
    await app.http.get('/api/v1/auth/users/999999/export').set(seededAdmin.auth).expect(404);
    await app.http.get('/api/v1/auth/me/export').expect(401);
  });
});
