import { anAddress, aProduct, aUser, retries, rows, startApp, type TestApp, type TestUser, write } from '@shop/testing';
import { transactionService } from '@shop/transaction';

const PATH = '/api/v1/transactions';
let here: TestApp;
let there: TestApp;
let buyer: TestUser;
let address: { id: number };
let product: { id: number };

beforeAll(async () => {
  [here, there] = await Promise.all([
    startApp(transactionService, { DB_POOL_SIZE: '15' }),
    // The key does not need Redis.
    startApp(transactionService, { DB_POOL_SIZE: '15', REDIS_HOST: '' }),
  ]);
});
afterAll(() => Promise.all([here.close(), there.close()]));
beforeEach(async () => {
  buyer = await aUser();
  address = await anAddress(buyer);
  product = await aProduct({ stock: 100 });
});

const order = (quantity = 1) => ({ address_id: address.id, items: [{ product_id: product.id, quantity }] });
const buy = (key: string, body: object = order(), app = here, by = buyer) =>
  app.http.post(PATH).set(by.auth).set('Idempotency-Key', key).send(body);
const ordersOf = (user: TestUser) => rows<{ id: number }>('SELECT id FROM transactions WHERE user_id = ?', [user.id]);
const keysOf = (user: TestUser) =>
  rows<{ idempotency_key: string; transaction_id: number; replays: number }>(
    'SELECT idempotency_key, transaction_id, replays FROM idempotency_keys WHERE user_id = ? ORDER BY idempotency_key',
    [user.id],
  );
const stock = async () =>
  (await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [product.id]))[0]?.stock;

test('a repeated request, also at another replica, gets the first response and has no further effect', async () => {
  const first = await buy('attempt-1').expect(201);
  expect(first.headers).not.toHaveProperty('idempotent-replayed');
  for (const app of [here, there]) {
    const again = await buy('attempt-1', order(), app).expect(201).expect('Idempotent-Replayed', 'true');
    expect(again.text).toBe(first.text);
    expect(again.headers.location).toBe(first.headers.location);
  }
  expect(await ordersOf(buyer)).toEqual([{ id: first.body.id }]);
  expect(await keysOf(buyer)).toEqual([{ idempotency_key: 'attempt-1', transaction_id: first.body.id, replays: 2 }]);
  expect(await stock()).toBe(99);
});

test('a key that the release before has written, which stores only the id of the order, is replayed', async () => {
  const first = await buy('older').expect(201);
  await write('UPDATE idempotency_keys SET response = NULL WHERE user_id = ?', [buyer.id]);
  const again = await buy('older').expect(201).expect('Idempotent-Replayed', 'true');
  expect([again.text, again.headers.location]).toEqual([first.text, first.headers.location]);
  expect(await stock()).toBe(99);
});

test('a key that the release before has renewed gets its order, not the stored response from before', async () => {
  await buy('renewed').expect(201);
  const second = await buy('another').expect(201);
  await write("UPDATE idempotency_keys SET transaction_id = ? WHERE user_id = ? AND idempotency_key = 'renewed'", [
    second.body.id,
    buyer.id,
  ]);
  expect((await buy('renewed').expect(201)).body).toEqual(second.body);
});

test('twenty concurrent requests place one order and get the same response', async () => {
  const responses = await Promise.all(
    Array.from({ length: 20 }, (_, index) => buy('twenty', order(3), index % 2 ? here : there)),
  );
  expect(new Set(responses.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(201));
  expect(responses.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
  expect(await ordersOf(buyer)).toHaveLength(1);
  expect(await stock()).toBe(97);
});

test('another body under the same key is refused; the same JSON written differently is not', async () => {
  const { body } = await buy('k').expect(201);
  const refused = await buy('k', order(2)).expect(422);
  expect(refused.body.code).toBe('idempotency_key_reused');
  const rewritten = `{ "items": [ {"quantity": 1.0, "product_id": ${product.id}} ],\n "address_id": ${address.id} }`;
  const again = await here.http
    .post(PATH)
    .set(buyer.auth)
    .set('Idempotency-Key', 'k')
    .set('Content-Type', 'application/json')
    .send(rewritten);
  expect([again.status, again.body]).toEqual([201, { id: body.id }]);
  expect(await ordersOf(buyer)).toHaveLength(1);
});

test('a key belongs to its user and is compared exactly; without a key each request places an order', async () => {
  const other = await aUser();
  const theirs = { ...order(), address_id: (await anAddress(other)).id };
  const ids = [
    (await buy('Key').expect(201)).body.id,
    (await buy('key').expect(201)).body.id,
    (await buy('Key', theirs, here, other).expect(201)).body.id,
    (await here.http.post(PATH).set(buyer.auth).send(order()).expect(201)).body.id,
    (await here.http.post(PATH).set(buyer.auth).send(order()).expect(201)).body.id,
  ];
  expect(new Set(ids).size).toBe(5);
});

test('a refused attempt leaves its key unused, also for waiting attempts', async () => {
  await write('UPDATE products SET stock = 0 WHERE id = ?', [product.id]);
  const responses = await Promise.all(
    Array.from({ length: 40 }, (_, index) => buy('later', order(), index % 2 ? here : there)),
  );
  expect(responses.map(({ status, body }) => [status, body.code])).toEqual(Array(40).fill([409, 'insufficient_stock']));
  for (const app of [here, there]) expect(await retries(app.resources)).toEqual({});
  expect(await keysOf(buyer)).toEqual([]);
  await write('UPDATE products SET stock = 1 WHERE id = ?', [product.id]);
  const bought = await buy('later').expect(201);
  expect(bought.headers).not.toHaveProperty('idempotent-replayed');
  await buy('later', { ...order(), address_id: 'x' }).expect(400);
});

test('a replay needs neither stock nor product nor address', async () => {
  const { body } = await buy('gone').expect(201);
  await write('DELETE FROM addresses WHERE id = ?', [address.id]);
  await write('DELETE FROM products WHERE id = ?', [product.id]);
  expect((await buy('gone').expect(201)).body).toEqual(body);
});

test('after 24 hours a key can be used again and its row is deleted', async () => {
  const first = await buy('old').expect(201);
  await buy('fresh').expect(201);
  const age = (interval: string) =>
    write(
      `UPDATE idempotency_keys SET created_at = NOW(3) - INTERVAL ${interval} WHERE user_id = ? AND idempotency_key = 'old'`,
      [buyer.id],
    );
  await age('1439 MINUTE');
  expect((await buy('old').expect(201)).body.id).toBe(first.body.id);
  await age('1441 MINUTE');
  const second = await buy('old', order(2)).expect(201);
  expect(second.body.id).not.toBe(first.body.id);
  expect((await buy('old', order(2)).expect(201)).body.id).toBe(second.body.id);
  await age('1441 MINUTE');
  await here.jobs.find(({ name }) => name === 'forget_expired_idempotency_keys')?.run();
  expect((await keysOf(buyer)).map((row) => row.idempotency_key)).toEqual(['fresh']);
});

test.each([
  ['empty', ''],
  ['only spaces', '   '],
  ['with a tab', 'a\tb'],
  ['with a non-ASCII letter', 'é'],
  ['of 256 characters', 'k'.repeat(256)],
])('a key %s is refused', async (_, key) => {
  const { body } = await buy(key).expect(400);
  expect(body.errors).toMatchObject([{ in: 'header', path: 'idempotency-key' }]);
  expect(await ordersOf(buyer)).toEqual([]);
});

test('a key can contain spaces; surrounding spaces are not part of it', async () => {
  const { body } = await buy('order of 12 May, "2nd"').expect(201);
  expect((await buy('  order of 12 May, "2nd" ').expect(201)).body).toEqual(body);
  expect((await buy('order of 12 May,"2nd"').expect(201)).body).not.toEqual(body);
});

test('a key of 255 characters is not truncated', async () => {
  const key = 'k'.repeat(255);
  const { body } = await buy(key).expect(201);
  expect((await buy(key).expect(201)).body).toEqual(body);
  expect((await buy(`${key.slice(1)}x`).expect(201)).body).not.toEqual(body);
});
