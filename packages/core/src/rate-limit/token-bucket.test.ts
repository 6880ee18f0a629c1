import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createLogger } from '@shop/core/log';
import { createMetrics } from '@shop/core/metrics';
import { connectRedis, type RedisLink } from '@shop/core/redis';
import { type RedisServer, redisServer } from '@shop/fleet';
import { eventually, startProxy } from '@shop/testing';
import { type BucketSize, processBuckets, type TokenBuckets, tokenBuckets } from './token-bucket';

const SIZE: BucketSize = { perSecond: 10, burst: 20 };
/** A token in 1000 s: what passes while a test runs is nothing. */
const SLOW: BucketSize = { perSecond: 0.001, burst: 3 };
const SLOW_TOKEN_MS = 1_000_000;

const links: RedisLink[] = [];
const link = (port: number): RedisLink => {
  const parts = { logger: createLogger('example', 'silent'), metrics: createMetrics('example') };
  const redis = connectRedis({ host: '127.0.0.1', port, password: undefined }, parts);
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
/** The bucket's only state is the moment at which it is full again: moved back, as much time has gone by for it. */
const letPass = (redis: RedisLink, key: string, ms: number) =>
  redis.use('test', (client) => client.decrby(key, ms * 1000));

describe('a bucket of 10 tokens a second and 20 at once', () => {
  /** Takes at each of these moments (milliseconds): which were allowed. */
  const allowedAt = (moments: number[]): boolean[] => {
    let now = 0;
    const buckets = processBuckets(SIZE, () => now * 1000);
    return moments.map((moment) => {
      now = moment;
      return buckets.take('a').allowed;
    });
  };
  const count = (answers: boolean[]) => answers.filter(Boolean).length;
  const every = (ms: number, times: number, from = 0) => Array.from({ length: times }, (_, i) => from + i * ms);

  it.each([
    ['20 of 50 that come at once', every(0, 50), 20],
    ['all of those that come every 100 ms', every(100, 500), 500],
    ['20, and then 10 each second, of a flood', every(1, 10_000), 20 + 99],
    ['1 more, 100 ms after the bucket was emptied', [...every(0, 30), ...every(0, 5, 100)], 21],
    ['none, 99 ms after the bucket was emptied', [...every(0, 30), ...every(0, 5, 99)], 20],
    [
      '20 again after 2 s, and no more after an hour',
      [...every(0, 30), ...every(0, 30, 2000), ...every(0, 30, 4e6)],
      60,
    ],
  ])('lets %s through', (_, moments, expected) => {
    expect(count(allowedAt(moments))).toBe(expected);
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

  it('takes nothing for a refusal', () => {
    expect(allowedAt([...every(0, 20), ...every(1, 99), 100]).slice(20)).toEqual([...Array(99).fill(false), true]);
  });

  it('says what is left, when it is full, and when the next token comes', () => {
    let now = 7000;
    const buckets = processBuckets(SIZE, () => now * 1000);
    expect(buckets.take('a')).toEqual({ allowed: true, remaining: 19, resetMs: 100 });
    for (let i = 2; i <= 20; i += 1) buckets.take('a');
    now += 30;
    expect(buckets.take('a')).toEqual({ allowed: false, remaining: 0, resetMs: 70 });
    expect(buckets.take('b')).toEqual({ allowed: true, remaining: 19, resetMs: 100 });
  });

  it('remembers so many clients and forgets the one longest silent', () => {
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
  it('count as those of a process do, on the clock of Redis', async () => {
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
    await letPass(redis, key, 0.9 * SLOW_TOKEN_MS);
    expect(await buckets.take(key)).toMatchObject({ allowed: false, store: 'redis' });
    await letPass(redis, key, 0.1 * SLOW_TOKEN_MS);
    expect((await takeAll(buckets, key, 2)).map(({ allowed }) => allowed)).toEqual([true, false]);
    await letPass(redis, key, 100 * SLOW_TOKEN_MS);
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
    await letPass(redis, key, SLOW_TOKEN_MS);
    expect((await takeAll(buckets, key, 2)).map(({ allowed }) => allowed)).toEqual([true, false]);
  });

  it('are one for all replicas, whatever clock those have', async () => {
    const [a, b] = [tokenBuckets(await connected(), SLOW), tokenBuckets(await connected(), SLOW)];
    const key = aKey();
    const hour = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 ? a : b).take(key)));
    hour.mockRestore();
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(SLOW.burst);
    expect(new Set(answers.map(({ store }) => store))).toEqual(new Set(['redis']));
  });

  it('go when they are full', async () => {
    const redis = await connected();
    const key = aKey();
    const [state] = await takeAll(tokenBuckets(redis, SLOW), key, 1);
    const lifetime = await redis.use('test', (client) => client.pttl(key));
    expect(state?.resetMs).toBe(SLOW_TOKEN_MS);
    expect(lifetime).toBeGreaterThan(SLOW_TOKEN_MS - 60_000);
    expect(lifetime).toBeLessThanOrEqual(SLOW_TOKEN_MS);
  });

  it('lock nobody out for long when the clock of Redis was set back, or the rate was raised', async () => {
    const redis = await connected();
    const key = aKey();
    const buckets = tokenBuckets(redis, SLOW);
    await takeAll(buckets, key, 3);
    await letPass(redis, key, -1000 * SLOW_TOKEN_MS);
    expect((await takeAll(buckets, key, 4)).map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
  });

  it('work on in a Redis that forgot its scripts', async () => {
    const redis = await connected();
    const buckets = tokenBuckets(redis, SLOW);
    const key = aKey();
    await buckets.take(key);
    await redis.use('test', (client) => client.script('FLUSH'));
    expect(await buckets.take(key)).toMatchObject({ remaining: 1, store: 'redis' });
  });
});

describe('a Redis that goes away', () => {
  let server: RedisServer;
  beforeEach(async () => {
    const dir = path.join(process.env.SHOP_TEST_DIR ?? '', `limits-${randomUUID()}`);
    server = await redisServer({ dir, dieWithParent: true });
  });
  afterEach(() => server.stop());

  it('leaves the limit to each process, and gets it back when it is there again', async () => {
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

  it('and that was away from the start is used once it comes', async () => {
    const redis = link(server.port);
    const buckets = tokenBuckets(redis, SLOW);
    const key = aKey();
    expect(await buckets.take(key)).toMatchObject({ store: 'process' });
    await server.start();
    await eventually('Redis to be there', () => redis.status() === 'up');
    expect(await buckets.take(key)).toMatchObject({ store: 'redis' });
  });

  it('without a word leaves the limit to each process too', async () => {
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
