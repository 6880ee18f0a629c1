import {
  anAddress,
  aProduct,
  aStore,
  aUser,
  holdingInvalidation,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { transactionService } from '../service';

const PATH = '/api/v1/transactions';
let app: TestApp;
let seller: TestUser;
let buyer: TestUser;
let store: { id: number };
let addressId: number;

beforeAll(async () => {
  app = await startApp(transactionService, { PENDING_ORDER_TTL_MINUTES: '60' });
  [seller, buyer] = await Promise.all([aUser(), aUser()]);
  store = await aStore({ owner: seller });
  addressId = (await anAddress(buyer)).id;
});
afterAll(() => app.close());

const buy = (ids: number[], key?: string) => {
  const request = app.http.post(PATH).set(buyer.auth);
  const items = ids.map((product_id) => ({ product_id, quantity: 1 }));
  return (key === undefined ? request : request.set('Idempotency-Key', key)).send({ address_id: addressId, items });
};
const setStatus = (id: number, status: string, by = buyer) =>
  app.http.patch(`${PATH}/${id}`).set(by.auth).send({ status });

async function anOrder() {
  const ids = [(await aProduct({ store })).id, (await aProduct({ store })).id];
  const { body } = await buy(ids).expect(201);
  return { id: body.id as number, ids };
}

const scopesOf = (ids: number[]) =>
  [...ids.map((id) => `product:${id}`), `store:${store.id}`, `owner:${seller.id}`, 'products'].sort();

describe('a change of stock waits for the invalidation of all its products', () => {
  test('a checkout', async () => {
    const ids = [(await aProduct({ store })).id, (await aProduct({ store })).id];
    const { result, scopes } = await holdingInvalidation(app, () => buy(ids));
    expect([result.status, scopes]).toEqual([201, scopesOf(ids)]);
  });

  test('a replayed checkout, because the first attempt may have crashed before the invalidation', async () => {
    const ids = [(await aProduct({ store })).id, (await aProduct({ store })).id];
    await buy(ids, 'replayed').expect(201);
    const { result, scopes } = await holdingInvalidation(app, () => buy(ids, 'replayed'));
    expect([result.status, result.get('Idempotent-Replayed'), scopes]).toEqual([201, 'true', scopesOf(ids)]);
  });

  test('a cancellation', async () => {
    const { id, ids } = await anOrder();
    const { result, scopes } = await holdingInvalidation(app, () => setStatus(id, 'cancelled'));
    expect([result.status, scopes]).toEqual([204, scopesOf(ids)]);
  });

  test('a repeated cancellation, because the first attempt may have crashed before the invalidation', async () => {
    const { id, ids } = await anOrder();
    await setStatus(id, 'cancelled').expect(204);
    const { result, scopes } = await holdingInvalidation(app, () => setStatus(id, 'cancelled'));
    expect([result.status, scopes]).toEqual([409, scopesOf(ids)]);
  });

  test('a repeated cancellation with If-Match', async () => {
    const { id, ids } = await anOrder();
    await setStatus(id, 'cancelled').expect(204);
    const { result, scopes } = await holdingInvalidation(app, () =>
      setStatus(id, 'cancelled').set('If-Match', '"other"'),
    );
    expect([result.status, scopes]).toEqual([412, scopesOf(ids)]);
  });

  test('another step that finds the order cancelled', async () => {
    const { id, ids } = await anOrder();
    await setStatus(id, 'cancelled').expect(204);
    const admin = await aUser({ role: 'admin' });
    const { result, scopes } = await holdingInvalidation(app, () => setStatus(id, 'paid', admin));
    expect([result.status, scopes]).toEqual([409, scopesOf(ids)]);
  });

  test('the automatic cancellation of an unpaid order', async () => {
    const { id, ids } = await anOrder();
    await write('UPDATE transactions SET created_at = NOW(3) - INTERVAL 2 HOUR WHERE id = ?', [id]);
    const job = app.jobs.find(({ name }) => name === 'cancel_unpaid_orders');
    const { scopes } = await holdingInvalidation(app, async () => job?.run());
    expect(scopes).toEqual(expect.arrayContaining(scopesOf(ids)));
  });
});

test('a step that does not change stock does not invalidate', async () => {
  const { id } = await anOrder();
  const admin = await aUser({ role: 'admin' });
  const invalidate = jest.spyOn(app.resources.cache, 'invalidate');
  await setStatus(id, 'paid', admin).expect(204);
  expect(invalidate).not.toHaveBeenCalled();
  invalidate.mockRestore();
});
