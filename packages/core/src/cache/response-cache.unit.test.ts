import { aGate, eventually } from '@shop/testing';
import { databaseUnavailable } from '../errors';
import { createLogger } from '../log';
import { createMetrics } from '../metrics';
import { connectRedis } from '../redis';
import { createGeneration, type GenerationStore } from './generation';
import { createResponseCache } from './response-cache';

const logger = createLogger('example', 'silent');

/** A cache without Redis, which never confirms an invalidation. */
function withoutRedis(store: Partial<GenerationStore>) {
  const metrics = createMetrics('example');
  const redis = connectRedis(undefined, { logger, metrics });
  const generation = createGeneration(
    { read: async () => 'first', renew: async () => undefined, ...store },
    { logger },
  );
  return { cache: createResponseCache({ redis, generation, metrics }), generation };
}

describe('an invalidation not confirmed by Redis', () => {
  test('waits for the generation to be renewed', async () => {
    const gate = aGate();
    const renew = jest.fn(() => gate.passed);
    const { cache } = withoutRedis({ renew });
    let ended = false;
    const invalidating = cache.invalidate(['product:1']).then(() => {
      ended = true;
    });
    await eventually('the renewal to begin', () => renew.mock.calls.length === 1);
    expect(ended).toBe(false);
    gate.open();
    await invalidating;
  });

  test('by 50 concurrent writers renews twice: once for the first, once for all that came during that renewal', async () => {
    const renew = jest.fn(async () => undefined);
    const { cache } = withoutRedis({ renew });
    await Promise.all(Array.from({ length: 50 }, () => cache.invalidate(['product:1'])));
    expect(renew).toHaveBeenCalledTimes(2);
  });

  test('fails if MySQL is down too, and retries in the background until it succeeds', async () => {
    let down = true;
    const renew = jest.fn(async () => {
      if (down) throw databaseUnavailable();
    });
    const { cache, generation } = withoutRedis({ renew });
    await expect(cache.invalidate(['product:1'])).rejects.toMatchObject({ code: 'database_unavailable' });
    down = false;
    await eventually('another attempt', () => renew.mock.calls.length === 2);
    generation.close();
  });

  test('after a write with an unknown outcome does not wait for MySQL', async () => {
    const { cache } = withoutRedis({ renew: () => new Promise(() => undefined) });
    await cache.invalidateAll();
  });
});

describe('concurrent reads without Redis', () => {
  const rule = { key: 'one', scopes: ['product:1'], ttlSeconds: 60 };

  test('share only a query that starts after they arrived', async () => {
    const { cache } = withoutRedis({});
    const first = aGate();
    let loads = 0;
    const load = async () => {
      loads += 1;
      const count = loads;
      if (count === 1) await first.passed;
      return Buffer.from(String(count));
    };
    const responses = [cache.getOrLoad('/thing', rule, load)];
    await eventually('the first query', () => loads === 1);
    for (let count = 0; count < 20; count += 1) responses.push(cache.getOrLoad('/thing', rule, load));
    await new Promise(setImmediate);
    first.open();
    const bytes = (await Promise.all(responses)).map((response) => response.bytes.toString());
    expect(bytes).toEqual(['1', ...Array(20).fill('2')]);
  });

  test('do not wait twice when the database is down', async () => {
    const { cache } = withoutRedis({});
    const first = aGate();
    const load = jest.fn(async (): Promise<Buffer> => {
      await first.passed;
      throw databaseUnavailable();
    });
    const responses = [1, 2, 3].map(() => cache.getOrLoad('/thing', rule, load));
    await eventually('the first query', () => load.mock.calls.length === 1);
    await new Promise(setImmediate);
    first.open();
    for (const { status } of await Promise.allSettled(responses)) expect(status).toBe('rejected');
    expect(load).toHaveBeenCalledTimes(1);
  });
});
