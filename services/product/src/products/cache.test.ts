import {
  aProduct,
  aStore,
  aUser,
  eventually,
  figure,
  samplesIn,
  startApp,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { Redis } from 'ioredis';
import type { Response } from 'supertest';
import { productService } from '../service';
import { productRule } from './cache-rules';

const PATH = '/api/v1/products';
let here: TestApp;
let there: TestApp;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  [here, there] = await Promise.all([startApp(productService), startApp(productService)]);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(() => Promise.all([here.close(), there.close()]));

const get = (app: TestApp, where = '', by = seller) => app.http.get(PATH + where).set(by.auth);
/** On a slow machine, a read may learn the cache's generation too late. It bypasses the cache then and changes nothing in it. */
async function getThroughCache(app: TestApp, where = '', by = seller): Promise<Response> {
  for (;;) {
    const response = await get(app, where, by).expect(200);
    if (response.headers['x-cache'] !== 'BYPASS') return response;
  }
}
const xCache = async (app: TestApp, where = '', by = seller): Promise<string> =>
  (await getThroughCache(app, where, by)).headers['x-cache'] ?? '';

test('the second read of a list or a product is a hit on every replica, with the same bytes', async () => {
  const { id } = await aProduct({ store });
  for (const where of ['', `/${id}`, '?search=product&limit=5']) {
    const first = await getThroughCache(here, where);
    const again = await getThroughCache(there, where);
    expect([first, again].map(({ headers }) => headers['x-cache'])).toEqual(['MISS', 'HIT']);
    expect(again.text).toBe(first.text);
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
  }
});

test('the same filters written differently share a cached response; different filters and callers do not', async () => {
  await aProduct({ store });
  expect(await xCache(here, '?min_price=1.5&search=')).toBe('MISS');
  expect(await xCache(here, '?search=&min_price=1.50&page=1&utm=x')).toBe('HIT');
  for (const other of ['?min_price=1.51', '?max_price=1.50', '?min_price=1.5&page=2', '?min_price=1.5&store_id=1']) {
    expect(await xCache(here, other)).toBe('MISS');
  }
  expect(await xCache(here, '?min_price=1.5', await aUser())).toBe('MISS');
});

test('a cached response for one caller is never served to another', async () => {
  const { id } = await aProduct({ store });
  const [stranger, admin] = [await aUser(), await aUser({ role: 'admin' })];
  await get(here).expect(200);
  await get(here, `/${id}`, admin).expect(200);
  await get(here, `/${id}`, stranger).expect(403);
  expect((await get(here, '', stranger).expect(200)).body.data).toEqual([]);
});

test("a user with the id of an admin token's holder does not get the admin's responses", async () => {
  const { accessTokenIssuer, secretKey } = await import('@shop/core/auth');
  const { token } = accessTokenIssuer(secretKey('a-secret-for-tests-only-0123456789abcdef')).issue({
    id: seller.id,
    role: 'admin',
  });
  const { storeId } = await aProduct();
  const asAdmin = await here.http
    .get(`${PATH}?store_id=${storeId}`)
    .set('Authorization', `Bearer ${token}`)
    .expect(200);
  expect(asAdmin.body.data).toHaveLength(1);
  expect((await get(here, `?store_id=${storeId}`).expect(200)).body.data).toEqual([]);
});

test('100 rounds: after each kind of write the next read from the other replica is current', async () => {
  const admin = await aUser({ role: 'admin' });
  let [writer, reader] = [here, there];
  for (let round = 0; round < 100; round += 1) {
    [writer, reader] = [reader, writer];
    const name = `Round ${round}`;
    const lists = () =>
      Promise.all([get(reader), get(reader, `?search=${name}`), get(reader, `?store_id=${store.id}`, admin)]);
    await lists();
    const { body } = await writer.http.post(PATH).set(seller.auth).send({ name, price: 1 }).expect(201);
    for (const list of await lists()) expect(list.body.data).toEqual(expect.arrayContaining([body]));
    await get(reader, `/${body.id}`).expect(200);
    await writer.http
      .put(`${PATH}/${body.id}`)
      .set(seller.auth)
      .send({ stock: round + 1, price: 2.5 })
      .expect(204);
    const changed = { ...body, stock: round + 1, price: 2.5 };
    expect((await get(reader, `/${body.id}`)).body).toEqual(changed);
    for (const list of await lists()) expect(list.body.data).toEqual(expect.arrayContaining([changed]));
    await writer.http.delete(`${PATH}/${body.id}`).set(seller.auth).expect(204);
    for (const list of await lists()) expect(list.body.data).toEqual([]);
    await get(reader, `/${body.id}`).expect(404);
  }
});

test("a write of one seller leaves another seller's list in the cache", async () => {
  await getThroughCache(here);
  const other = await aUser();
  await aStore({ owner: other });
  await here.http.post(PATH).set(other.auth).send({ name: 'x', price: 1 }).expect(201);
  expect(await xCache(here)).toBe('HIT');
});

test('a slow reader neither caches an old value nor shares it with requests that start after the write', async () => {
  const { id } = await aProduct({ store, name: 'old' });
  const old = await get(there, `/${id}?`).expect(200);
  await there.http.put(`${PATH}/${id}`).set(seller.auth).send({ name: 'newer' }).expect(204);
  await here.resources.cache.getOrLoad(`${PATH}/:id`, productRule(seller, id), async () => {
    await there.http.put(`${PATH}/${id}`).set(seller.auth).send({ name: 'new' }).expect(204);
    for (const app of [here, there]) expect((await get(app, `/${id}`).expect(200)).body.name).toBe('new');
    return Buffer.from(old.text);
  });
  for (const app of [here, there]) expect((await get(app, `/${id}`)).body.name).toBe('new');
});

describe('concurrent misses for the same key in one process', () => {
  const lookUps = async (result: string): Promise<number> => {
    const samples = await samplesIn(here.resources.metrics);
    return figure(samples, 'cache_requests_total', { cache: '/test', result }) ?? 0;
  };
  const rule = (key: string) => ({ key, scopes: [`product:${key}`], ttlSeconds: 60 });

  test('share one load, whose result is cached', async () => {
    const before = await lookUps('coalesced');
    const load = jest.fn(async () => {
      await eventually('the others to wait', async () => (await lookUps('coalesced')) === before + 19);
      return Buffer.from('loaded once');
    });
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => here.resources.cache.getOrLoad('/test', rule('twenty'), load)),
    );
    expect(load).toHaveBeenCalledTimes(1);
    expect(responses.map(({ bytes }) => bytes.toString())).toEqual(Array(20).fill('loaded once'));
    expect(responses.filter(({ status }) => status === 'miss')).toHaveLength(1);
    const later = await there.resources.cache.getOrLoad('/test', rule('twenty'), load);
    expect([later.status, later.bytes.toString()]).toEqual(['hit', 'loaded once']);
  });

  test('share nothing afterwards: once Redis has lost the entry, it is loaded again', async () => {
    let loads = 0;
    const load = async () => {
      loads += 1;
      return Buffer.from(`load ${loads}`);
    };
    const ask = async () => {
      const { status, bytes } = await here.resources.cache.getOrLoad('/test', rule('forgotten'), load);
      return [status, bytes.toString()];
    };
    expect(await ask()).toEqual(['miss', 'load 1']);
    expect(await ask()).toEqual(['hit', 'load 1']);
    const redis = new Redis({ host: '127.0.0.1', port: Number(process.env.SHOP_TEST_REDIS_PORT) });
    try {
      expect(await redis.del('cache:response:2:/test:forgotten')).toBe(1);
    } finally {
      redis.disconnect();
    }
    expect(await ask()).toEqual(['miss', 'load 2']);
  });

  test('all fail with the load, and the next request loads again', async () => {
    const before = await lookUps('coalesced');
    const fail = async (): Promise<Buffer> => {
      await eventually('the others to wait', async () => (await lookUps('coalesced')) === before + 1);
      throw new Error('no database');
    };
    const loads = [1, 2].map(() => here.resources.cache.getOrLoad('/test', rule('failing'), fail));
    for (const { status } of await Promise.allSettled(loads)) expect(status).toBe('rejected');
    const next = await here.resources.cache.getOrLoad('/test', rule('failing'), async () => Buffer.from('fine'));
    expect([next.status, next.bytes.toString()]).toEqual(['miss', 'fine']);
  });
});

test('Redis stores the exact bytes of the response with its ETag, for at most five minutes', async () => {
  const { id } = await aProduct({ store, name: 'Tea 🍵' });
  const {
    text,
    headers: { etag },
  } = await get(here, `/${id}`).expect(200);
  const redis = new Redis({ host: '127.0.0.1', port: Number(process.env.SHOP_TEST_REDIS_PORT) });
  try {
    const key = `cache:response:2:${PATH}/:id:${productRule(seller, id).key}`;
    const [, headers = '', ...bytes] = String(await redis.get(key)).split('\n');
    expect(JSON.parse(headers)).toEqual({ headers: {}, tag: etag, length: Buffer.byteLength(text) });
    expect(bytes).toEqual([text]);
    expect(await redis.ttl(key)).toBeGreaterThan(290);
    expect(await redis.ttl(key)).toBeLessThanOrEqual(300);
  } finally {
    redis.disconnect();
  }
});

test('without Redis every read comes from the database', async () => {
  const plain = await startApp(productService, { REDIS_HOST: '' });
  try {
    const { id } = await aProduct({ store, stock: 1 });
    for (const stock of [2, 3]) {
      await plain.http.put(`${PATH}/${id}`).set(seller.auth).send({ stock }).expect(204);
      const { body } = await get(plain, `/${id}`).expect(200).expect('X-Cache', 'BYPASS');
      expect(body.stock).toBe(stock);
    }
  } finally {
    await plain.close();
  }
});
