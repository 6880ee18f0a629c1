import { aGate } from './a-database';
import type { TestApp } from './test-app';

/**
 * Holds the first cache invalidation that `write` makes, and fails unless `write` waits for it.
 * @returns what `write` resolves with, and the scopes that it invalidated
 */
export async function holdingInvalidation<T>(
  app: TestApp,
  write: () => PromiseLike<T>,
): Promise<{ result: T; scopes: string[] }> {
  const { cache } = app.resources;
  const { invalidate } = cache;
  const [asked, released] = [aGate(), aGate()];
  const scopes: string[] = [];
  cache.invalidate = async (changed) => {
    scopes.push(...changed);
    asked.open();
    await released.passed;
    await invalidate(changed);
  };
  let ended = false;
  try {
    const result = Promise.resolve(write()).finally(() => {
      ended = true;
    });
    await Promise.race([asked.passed, result]);
    // By the time these are answered, a write that does not wait is as well.
    for (let times = 0; times < 3; times += 1) await app.http.get('/ready').expect(200);
    if (ended) throw new Error('the write did not wait for its cache invalidation');
    released.open();
    return { result: await result, scopes };
  } finally {
    released.open();
    cache.invalidate = invalidate;
  }
}
