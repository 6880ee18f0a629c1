import { aGate } from './a-database';
import type { TestApp } from './test-app';

/**
 * Blocks the cache invalidation of `write`, and fails unless `write` waits for it.
 * @returns the result of `write` and the invalidated scopes, sorted
 */
export async function holdingInvalidation<T>(
  app: TestApp,
  write: () => PromiseLike<T>,
): Promise<{ result: T; scopes: string[] }> {
  const { cache } = app.resources;
  const { invalidate } = cache;
  const [requested, released] = [aGate(), aGate()];
  const scopes: string[] = [];
  cache.invalidate = async (changed) => {
    scopes.push(...changed);
    requested.open();
    await released.passed;
    await invalidate(changed);
  };
  let ended = false;
  try {
    const result = Promise.resolve(write()).finally(() => {
      ended = true;
    });
    await Promise.race([requested.passed, result]);
    // A write that does not wait would end before these requests do.
    for (let times = 0; times < 3; times += 1) await app.http.get('/ready').expect(200);
    if (ended) throw new Error('the write did not wait for its cache invalidation');
    released.open();
    return { result: await result, scopes: scopes.sort() };
  } finally {
    released.open();
    cache.invalidate = invalidate;
  }
}
