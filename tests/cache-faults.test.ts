import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { productService } from '@shop/product';
import { freePort, type RedisServer, startRedis } from '@shop/test-servers';
import {
  aGate,
  aProduct,
  aStore,
  aUser,
  eventually,
  figure,
  samplesIn,
  startApp,
  startProxy,
  type TcpProxy,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { Redis } from 'ioredis';

/** Guarantees of the cache while Redis stalls, is killed, refuses commands, or is unreachable for one process only. */

const API = '/api/v1';
/** Use more rounds to measure: `STALL_ROUNDS=200 npx jest tests/cache-faults.test.ts -t stalled` */
const STALL_ROUNDS = Number(process.env.STALL_ROUNDS ?? 6);
const TIMEOUT_MS = 120_000 + STALL_ROUNDS * 10_000;

let redis: RedisServer;
let seller: TestUser;
let product: { id: number };

beforeAll(async () => {
  redis = await startRedis({ dir: path.join(process.env.SHOP_TEST_DIR ?? '', 'cache-faults'), dieWithParent: true });
  seller = await aUser();
  product = await aProduct({ store: await aStore({ owner: seller }), stock: 1000 });
});
afterAll(() => redis.stop());

const through = (port: number, settings = {}) => startApp(productService, { REDIS_PORT: String(port), ...settings });
const closeAll = (apps: TestApp[]) => Promise.all(apps.map((app) => app.close()));
const read = (app: TestApp) => app.http.get(`${API}/catalog/products/${product.id}`).expect(200);
const xCache = async (app: TestApp) => (await read(app)).headers['x-cache'];
const setPrice = (app: TestApp, price: number) =>
  app.http.put(`${API}/products/${product.id}`).set(seller.auth).send({ price }).expect(204);
const aHit = (app: TestApp) => eventually('a hit', async () => (await xCache(app)) === 'HIT');

describe('a stalled Redis', () => {
  test.each([
    ['that the reader has detected', true],
    ['that the reader has not detected', false],
  ])(
    `%s: no read after the write is stale, ${STALL_ROUNDS} rounds`,
    async (_, noticed) => {
      const [writer, reader] = [await through(redis.port), await through(redis.port)];
      let stale = 0;
      for (let round = 0; round < STALL_ROUNDS; round += 1) {
        const price = 100 + round;
        await aHit(reader);
        redis.pause();
        if (noticed) await read(reader);
        await setPrice(writer, price);
        const during = read(reader).then(({ body }) => body.price);
        await sleep(noticed ? 120 + (round % 5) * 10 : (round % 10) * 10);
        redis.resume();
        const seen = [await during, (await read(reader)).body.price];
        await eventually('Redis to be back', () => writer.resources.redis.status() === 'up');
        seen.push((await read(reader)).body.price, (await read(writer)).body.price);
        stale += seen.filter((seenPrice) => seenPrice !== price).length;
      }
      await closeAll([writer, reader]);
      expect(stale).toBe(0);
    },
    TIMEOUT_MS,
  );
});

describe('a partition: the writer cannot reach Redis, the reader can', () => {
  let proxy: TcpProxy;
  let writer: TestApp;
  let reader: TestApp;
  beforeEach(async () => {
    proxy = await startProxy({ host: '127.0.0.1', port: redis.port });
    [writer, reader] = [await through(proxy.port), await through(redis.port)];
  });
  afterEach(() => closeAll([writer, reader]));

  test.each([
    ['refused', () => proxy.close()],
    ['silent', async () => proxy.freeze()],
  ])('%s: no read that starts 2 s after a write is stale, and the reader still uses its cache', async (_, cut) => {
    await aHit(reader);
    await cut();
    for (const price of [201, 202, 203]) {
      await setPrice(writer, price);
      const acknowledged = performance.now();
      let seen = 0;
      for (let begun = acknowledged; seen !== price; ) {
        expect(begun - acknowledged).toBeLessThan(2000);
        await sleep(20);
        begun = performance.now();
        seen = (await read(reader)).body.price;
      }
      expect((await read(writer)).body.price).toBe(price);
      await aHit(reader);
    }
    if (_ === 'silent') proxy.thaw();
    if (_ === 'silent') await proxy.close();
  });

  test('a process configured without Redis behaves like one that cannot reach it', async () => {
    const alone = await startApp(productService, { REDIS_HOST: '' });
    await aHit(reader);
    await setPrice(alone, 301);
    await alone.close();
    await eventually('the new price', async () => (await read(reader)).body.price === 301);
    await proxy.close();
  });
});

describe('a Redis that is killed', () => {
  test('300 concurrent readers of one product all get a response', async () => {
    const reader = await through(redis.port, { DB_POOL_SIZE: '10' });
    await aHit(reader);
    await redis.kill();
    const responses = await Promise.all(
      Array.from({ length: 300 }, () => fetch(`${reader.url}${API}/catalog/products/${product.id}`)),
    );
    expect(responses.filter(({ status }) => status !== 200)).toEqual([]);
    await reader.close();
    await redis.start();
  });

  test('readers of one product that wait for a busy database share two queries', async () => {
    const reader = await through(redis.port, { DB_POOL_SIZE: '1' });
    await aHit(reader);
    await redis.kill();
    const inFlight = async () => figure(await samplesIn(reader.resources.metrics), 'http_requests_in_flight');
    const queries = async () =>
      figure(await samplesIn(reader.resources.metrics), 'db_query_duration_seconds_count') ?? 0;
    const [held, freed] = [aGate(), aGate()];
    const holding = reader.resources.db.transaction(async () => {
      held.open();
      await freed.passed;
    });
    await held.passed;
    const before = await queries();
    const reads = Promise.all(Array.from({ length: 30 }, () => xCache(reader)));
    await eventually('all readers to wait', async () => (await inFlight()) === 30);
    freed.open();
    await holding;
    expect(await reads).toEqual(Array(30).fill('BYPASS'));
    expect((await queries()) - before).toBeLessThanOrEqual(2);
    await reader.close();
    await redis.start();
  });

  test('300 concurrent readers of 300 products all get a response', async () => {
    const reader = await through(redis.port, { DB_POOL_SIZE: '10' });
    const store = await aStore({ owner: seller });
    const ids: number[] = [];
    for (let count = 0; count < 300; count += 1) ids.push((await aProduct({ store })).id);
    await redis.kill();
    const responses = await Promise.all(ids.map((id) => fetch(`${reader.url}${API}/catalog/products/${id}`)));
    expect(responses.filter(({ status }) => status !== 200)).toEqual([]);
    await reader.close();
    await redis.start();
  });
});

describe('a reachable Redis that does not work', () => {
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  let useless: RedisServer;
  let silent: Server;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    useless = await startRedis({
      dir: path.join(process.env.SHOP_TEST_DIR ?? '', 'cache-useless'),
      password: 'right',
      dieWithParent: true,
    });
    silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
    await useless.stop();
  });

  test('wrong password, replica, silent: a write takes no longer than with refused connections', async () => {
    const silentPort = (silent.address() as { port: number }).port;
    const apps = {
      refused: await through(await freePort()),
      'wrong password': await through(useless.port, { REDIS_PASSWORD: 'wrong' }),
      'made a replica': await through(useless.port, { REDIS_PASSWORD: 'right' }),
      silent: await through(silentPort),
    };
    const admin = new Redis({ port: useless.port, password: 'right' });
    await admin.replicaof('127.0.0.1', await freePort());
    const times = new Map(Object.keys(apps).map((name): [string, number[]] => [name, []]));
    for (let round = 0; round < 15; round += 1) {
      for (const [name, app] of Object.entries(apps)) {
        const start = performance.now();
        await setPrice(app, 400 + round);
        times.get(name)?.push(performance.now() - start);
      }
    }
    await admin.replicaof('NO', 'ONE');
    admin.disconnect();
    await closeAll(Object.values(apps));
    const refused = median(times.get('refused') ?? []);
    for (const [name, values] of times) expect([name, median(values) / refused < 3]).toEqual([name, true]);
  });
});
