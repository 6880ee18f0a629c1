import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createLogger } from '@shop/core/log';
import { createMetrics } from '@shop/core/metrics';
import { connectRedis, type RedisLink } from '@shop/core/redis';
import { type RedisServer, redisServer } from '@shop/test-servers';
import { eventually, startProxy } from '@shop/testing';
import { Redis } from 'ioredis';
import { type BucketSize, processBuckets, type TokenBuckets, tokenBuckets } from './token-bucket';

const SIZE: BucketSize = { perSecond: 10, burst: 20 };
/** One token per 1000 s, so that no token is refilled during a test. */
const SLOW: BucketSize = { perSecond: 0.001, burst: 3 };
const SLOW_TOKEN_MS = 1_000_000;

const links: RedisLink[] = [];
const link = (port: number): RedisLink => {
  const deps = { logger: createLogger('example', 'silent'), metrics: createMetrics('example') };
  const redis = connectRedis({ server: { host: '127.0.0.1', port }, password: () => undefined }, deps);
  links.push(redis);
  return redis;
};
const connected = async (port = Number(process.env.SHOP_TEST_REDIS_PORT)): Promise<RedisLink> => {
  const redis = link(port);
  await eventually('Redis', () => redis.status() === 'up');
  return redis;
};
afterEach(() => Promise.all(links.splice(0).map((redis) => redis.close())));

const aKey = () => `rate:test:${randomUUID()}`;
const takeAll = async (buckets: TokenBuckets, key: string, times: number) => {
  const states = [];
  for (let i = 0; i < times; i += 1) states.push(await buckets.take(key));
  return states;
};
/**
 * Simulates time passing. The bucket's only state is the time at which it is full again, so moving that back is enough.
 */
async function letPass(key: string, ms: number): Promise<void> {
  // A client without the deadlines of a RedisLink, which a busy machine may miss.
  const client = new Redis({ host: '127.0.0.1', port: Number(process.env.SHOP_TEST_REDIS_PORT) });
  try {
    await client.decrby(key, ms * 1000);
  } finally {
    client.disconnect();
  }
}

describe('a bucket with 10 tokens per second and a burst of 20', () => {
  /** Takes a token at each of these times (milliseconds). @returns which were allowed */
  const allowedAt = (times: number[]): boolean[] => {
    let now = 0;
    const buckets = processBuckets(SIZE, () => now * 1000);
    return times.map((time) => {
      now = time;
      return buckets.take('a').allowed;
    });
  };
  const count = (decisions: boolean[]) => decisions.filter(Boolean).length;
  const every = (ms: number, times: number, from = 0) => Array.from({ length: times }, (_, i) => from + i * ms);

  it.each([
    ['20 of 50 simultaneous requests', every(0, 50), 20],
    ['all requests at intervals of 100 ms', every(100, 500), 500],
    ['20, then 10 per second, of a flood', every(1, 10_000), 20 + 99],
    ['1 more, 100 ms after the bucket was emptied', [...every(0, 30), ...every(0, 5, 100)], 21],
    ['none, 99 ms after the bucket was emptied', [...every(0, 30), ...every(0, 5, 99)], 20],
    [
      '20 again after 2 s, and no more after an hour',
      [...every(0, 30), ...every(0, 30, 2000), ...every(0, 30, 4e6)],
      60,
    ],
  ])('allows %s', (_, times, expected) => {
    expect(count(allowedAt(times))).toBe(expected);
  });

  it('with a burst of 1 allows one request at a time', () => {
    let now = 0;
    const buckets = processBuckets({ perSecond: 10, burst: 1 }, () => now);
    expect([buckets.take('a').allowed, buckets.take('a').allowed]).toEqual([true, false]);
    now += 99_999;
    expect(buckets.take('a').allowed).toBe(false);
    now += 1;
    expect([buckets.take('a').allowed, buckets.take('a').allowed]).toEqual([true, false]);
  });

  it('takes no token for a refused request', () => {
    expect(allowedAt([...every(0, 20), ...every(1, 99), 100]).slice(20)).toEqual([...Array(99).fill(false), true]);
  });

  it('returns the remaining tokens, and the time until it is full or the next token comes', () => {
    let now = 7000;
    const buckets = processBuckets(SIZE, () => now * 1000);
    expect(buckets.take('a')).toEqual({ allowed: true, remaining: 19, resetMs: 100 });
    for (let i = 2; i <= 20; i += 1) buckets.take('a');
    now += 30;
    expect(buckets.take('a')).toEqual({ allowed: false, remaining: 0, resetMs: 70 });
    expect(buckets.take('b')).toEqual({ allowed: true, remaining: 19, resetMs: 100 });
  });

  it('remembers a limited number of clients and evicts the least recently used', () => {
    const buckets = processBuckets(SLOW, () => 0);
    const empty = (key: string) => Array.from({ length: SLOW.burst }, () => buckets.take(key));
    empty('old');
    empty('busy');
    for (let i = 0; i < 49_998; i += 1) buckets.take(`client ${i}`);
    expect(buckets.take('busy').allowed).toBe(false);
    buckets.take('one more');
    expect([buckets.take('busy').allowed, buckets.take('old').allowed]).toEqual([false, true]);
  });
});

describe('buckets in Redis', () => {
  it('behave like those of a process, on the clock of Redis', async () => {
    const redis = await connected();
    const key = aKey();
    const buckets = tokenBuckets(redis, SLOW);
    expect((await takeAll(buckets, key, 5)).map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
    await letPass(key, 0.9 * SLOW_TOKEN_MS);
    expect(await buckets.take(key)).toMatchObject({ allowed: false, store: 'redis' });
    await letPass(key, 0.1 * SLOW_TOKEN_MS);
    expect((await takeAll(buckets, key, 2)).map(({ allowed }) => allowed)).toEqual([true, false]);
    await letPass(key, 100 * SLOW_TOKEN_MS);
    expect((await takeAll(buckets, key, 5)).filter(({ allowed }) => allowed)).toHaveLength(3);
  });

  it('with a burst of 1 allow one request at a time', async () => {
    const redis = await connected();
    const key = aKey();
    const buckets = tokenBuckets(redis, { ...SLOW, burst: 1 });
    expect((await takeAll(buckets, key, 2)).map(({ allowed, store }) => [allowed, store])).toEqual([
      [true, 'redis'],
      [false, 'redis'],
    ]);
    await letPass(key, SLOW_TOKEN_MS);
    expect((await takeAll(buckets, key, 2)).map(({ allowed }) => allowed)).toEqual([true, false]);
  });

  it('are shared by all replicas, whatever their clocks', async () => {
    const [a, b] = [tokenBuckets(await connected(), SLOW), tokenBuckets(await connected(), SLOW)];
    const key = aKey();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    const decisions = await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 ? a : b).take(key)));
    clock.mockRestore();
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(SLOW.burst);
    expect(new Set(decisions.map(({ store }) => store))).toEqual(new Set(['redis']));
  });

  it('expire when they are full', async () => {
    const redis = await connected();
    const key = aKey();
    const [state] = await takeAll(tokenBuckets(redis, SLOW), key, 1);
    const lifetime = await redis.use('test', (client) => client.pttl(key));
    expect(state?.resetMs).toBe(SLOW_TOKEN_MS);
    expect(lifetime).toBeGreaterThan(SLOW_TOKEN_MS - 60_000);
    expect(lifetime).toBeLessThanOrEqual(SLOW_TOKEN_MS);
  });

  it('are reset if the clock of Redis was set back or the rate was raised', async () => {
    const redis = await connected();
    const key = aKey();
    const buckets = tokenBuckets(redis, SLOW);
    await takeAll(buckets, key, 3);
    await letPass(key, -1000 * SLOW_TOKEN_MS);
    expect((await takeAll(buckets, key, 4)).map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
  });

  it('keep working after Redis has lost its scripts', async () => {
    const redis = await connected();
    const buckets = tokenBuckets(redis, SLOW);
    const key = aKey();
    await buckets.take(key);
    await redis.use('test', (client) => client.script('FLUSH'));
    expect(await buckets.take(key)).toMatchObject({ remaining: 1, store: 'redis' });
  });
});

describe('Redis failures', () => {
  let server: RedisServer;
  beforeEach(async () => {
    const dir = path.join(process.env.SHOP_TEST_DIR ?? '', `limits-${randomUUID()}`);
    server = await redisServer({ dir, dieWithParent: true });
  });
  afterEach(() => server.stop());

  it('each process limits on its own while Redis is down, and uses Redis again afterwards', async () => {
    await server.start();
    const redis = await connected(server.port);
    const buckets = tokenBuckets(redis, SLOW);
    const key = aKey();
    expect((await takeAll(buckets, key, 4)).map(({ allowed, store }) => [allowed, store])).toEqual([
      ...Array(3).fill([true, 'redis']),
      [false, 'redis'],
    ]);

    await server.stop();
    expect((await takeAll(buckets, key, 4)).map(({ allowed, store }) => [allowed, store])).toEqual([
      ...Array(3).fill([true, 'process']),
      [false, 'process'],
    ]);

    await server.start();
    await eventually('Redis to be back', () => redis.status() === 'up');
    expect(await buckets.take(key)).toMatchObject({ allowed: true, remaining: 2, store: 'redis' });
  });

  it('a Redis that was down at the start is used once it is up', async () => {
    const redis = link(server.port);
    const buckets = tokenBuckets(redis, SLOW);
    const key = aKey();
    expect(await buckets.take(key)).toMatchObject({ store: 'process' });
    await server.start();
    await eventually('Redis to be up', () => redis.status() === 'up');
    expect(await buckets.take(key)).toMatchObject({ store: 'redis' });
  });

  it('each process also limits on its own while Redis does not respond', async () => {
    await server.start();
    const proxy = await startProxy({ host: '127.0.0.1', port: server.port });
    const buckets = tokenBuckets(await connected(proxy.port), SLOW);
    const key = aKey();
    expect(await buckets.take(key)).toMatchObject({ store: 'redis' });
    proxy.freeze();
    expect((await takeAll(buckets, key, 4)).map(({ allowed, store }) => [allowed, store])).toEqual([
      ...Array(3).fill([true, 'process']),
      [false, 'process'],
    ]);
    proxy.thaw();
    await eventually('the bucket in Redis', async () => (await buckets.take(aKey())).store === 'redis');
    await proxy.close();
  });
});
