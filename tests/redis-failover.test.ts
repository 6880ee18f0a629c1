import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { productService } from '@shop/product';
import type { RedisServer } from '@shop/test-servers';
import {
  aProduct,
  aStore,
  aUser,
  eventually,
  startApp,
  startWatchedRedis,
  type TestApp,
  type TestUser,
  type WatchedRedis,
} from '@shop/testing';
import { Redis } from 'ioredis';

/** The guarantees of the cache and the rate limits while sentinels promote a replica of Redis. */

const API = '/api/v1';
const LIMITED = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '5', TRUST_PROXY: '127.0.0.1' };
/** Not that of the other requests. They have the same bucket, and their apps fill it at once. */
const LIMITED_CLIENT = '192.0.2.1';

let redis: WatchedRedis;
let seller: TestUser;
let product: { id: number };
let apps: [TestApp, TestApp];
let limited: TestApp;
let price = 100;

beforeAll(async () => {
  seller = await aUser();
  product = await aProduct({ store: await aStore({ owner: seller }), price: String(price), stock: 1000 });
});
beforeEach(async () => {
  redis = await startWatchedRedis(path.join(process.env.SHOP_TEST_DIR ?? '', `failover-${randomUUID()}`));
  apps = [await startApp(productService, redis.env), await startApp(productService, redis.env)];
  limited = await startApp(productService, { ...redis.env, ...LIMITED });
});
afterEach(async () => {
  await Promise.all([...apps, limited].map((app) => app.close()));
  await redis.stop();
});

const read = (app: TestApp) => app.http.get(`${API}/catalog/products/${product.id}`).expect(200);
const isHit = async (app: TestApp) => (await read(app)).headers['x-cache'] === 'HIT';
const allUp = () =>
  eventually('Redis to be up for all', () => apps.every(({ resources }) => resources.redis.status() === 'up'));
const allHit = async () => {
  for (const app of apps) await eventually('a hit', () => isHit(app));
};
const master = async (): Promise<RedisServer> => {
  const port = await redis.masterPort();
  const found = redis.servers.find((server) => server.port === port);
  if (!found) throw new Error(`no server at ${port}`);
  return found;
};
const switchedFrom = (old: RedisServer) =>
  eventually('another master', async () => (await redis.masterPort()) !== old.port);

async function write(app: TestApp): Promise<void> {
  price += 1;
  await app.http.put(`${API}/products/${product.id}`).set(seller.auth).send({ price }).expect(204);
}

/** Reads and writes through both apps until `stop`, which returns the reads that missed an acknowledged write. */
function keepBusy(): { stop: () => Promise<string[]> } {
  const stale: string[] = [];
  let [acknowledged, running] = [price, true];
  const loop = async (act: (app: TestApp) => Promise<void>, pauseMs: number) => {
    for (let turn = 0; running; turn += 1) {
      await act(apps[turn % 2] as TestApp);
      await sleep(pauseMs);
    }
  };
  async function readAndCompare(app: TestApp): Promise<void> {
    const least = acknowledged;
    const { body, headers } = await read(app);
    if (body.price < least) stale.push(`${body.price} (${headers['x-cache']}), but ${least} was acknowledged`);
  }
  async function writeAndNote(app: TestApp): Promise<void> {
    await write(app);
    acknowledged = price;
  }
  const done = Promise.all([loop(readAndCompare, 5), loop(readAndCompare, 5), loop(writeAndNote, 200)]);
  return {
    async stop() {
      running = false;
      await done;
      return stale;
    },
  };
}

/** How many of 50 requests at once are refused. The bucket holds 5, and gets one a second. */
async function refused(): Promise<number> {
  const requests = Array.from({ length: 50 }, () =>
    limited.http.get(`${API}/catalog/products/${product.id}`).set('x-forwarded-for', LIMITED_CLIENT),
  );
  return (await Promise.all(requests)).filter(({ status }) => status === 429).length;
}

test('under load, the master is killed: every request succeeds, no read is stale, rates stay limited', async () => {
  await allHit();
  const old = await master();
  const load = keepBusy();
  expect(await refused()).toBeGreaterThan(0);
  await old.kill();
  expect(await refused()).toBeGreaterThan(0);
  await switchedFrom(old);
  await allUp();
  expect(await refused()).toBeGreaterThan(0);
  await eventually('a hit', () => isHit(apps[0]));
  await old.start();
  await eventually('the old master to be a replica', async () => (await roleOf(old)) === 'slave');
  expect(await load.stop()).toEqual([]);
  await allHit();
});

async function roleOf(server: RedisServer): Promise<unknown> {
  const client = new Redis({ port: server.port });
  const [role] = await client.role();
  client.disconnect();
  return role;
}

test('an invalidation that only the killed master knew is not missed', async () => {
  const version = `cache:version:product:${product.id}`;
  const [writer, reader] = apps;
  await allHit();
  const old = await master();
  const replica = redis.servers.find((server) => server !== old) as RedisServer;
  const onReplica = new Redis({ port: replica.port });
  await eventually('the replica to have the version', () => onReplica.get(version));
  await redis.cutReplication();
  await write(writer);
  const acknowledged = price;
  await old.kill();
  replica.resume();
  // It has not seen the invalidation.
  expect(await onReplica.get(version)).not.toBeNull();
  onReplica.disconnect();
  const seen = new Set<number>();
  while ((await redis.masterPort()) === old.port || apps.some(({ resources }) => resources.redis.status() !== 'up')) {
    for (const app of apps) seen.add((await read(app)).body.price);
    await sleep(5);
  }
  for (let round = 0; round < 20; round += 1) for (const app of apps) seen.add((await read(app)).body.price);
  expect([...seen]).toEqual([acknowledged]);
  await eventually('a hit', () => isHit(reader));
});

test('the master freezes, is replaced, and continues as if nothing had happened: no read is stale', async () => {
  await allHit();
  const old = await master();
  const load = keepBusy();
  old.pause();
  await switchedFrom(old);
  old.resume();
  await allUp();
  await eventually('the old master to be a replica', async () => (await roleOf(old)) === 'slave');
  expect(await load.stop()).toEqual([]);
});

test('a failover by hand, while the old master accepts commands: no read is stale', async () => {
  await allHit();
  const old = await master();
  const load = keepBusy();
  const port = Number(redis.env.REDIS_SENTINELS?.split(',')[0]?.split(':')[1]);
  const sentinel = new Redis({ port, password: redis.env.REDIS_SENTINEL_PASSWORD ?? '', enableReadyCheck: false });
  await sentinel.call('SENTINEL', 'FAILOVER', redis.env.REDIS_SENTINEL_NAME ?? '');
  sentinel.disconnect();
  await switchedFrom(old);
  await allUp();
  await eventually('a hit', () => isHit(apps[0]));
  expect(await load.stop()).toEqual([]);
});

test('without most of the sentinels, Redis is not used, and is used again once they are back', async () => {
  const statusOf = (status: string) =>
    eventually(`Redis to be ${status}`, () => apps.every(({ resources }) => resources.redis.status() === status));
  await allHit();
  redis.freezeSentinels(1);
  await write(apps[0]);
  await allHit();
  redis.freezeSentinels(2);
  await statusOf('down');
  await write(apps[0]);
  for (const app of apps) expect((await read(app)).body.price).toBe(price);
  redis.thawSentinels();
  await statusOf('up');
  await allHit();
  for (const app of apps) expect((await read(app)).body.price).toBe(price);
});
