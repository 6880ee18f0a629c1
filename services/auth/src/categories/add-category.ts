import { invalidateOn } from '@shop/core/cache';
import type { Attempt } from '@shop/core/idempotency';
import { cacheScope } from '@shop/shop';
import type { AuthContext } from '../service';
import { categoryExists } from './categories.errors';
import { insertCategory } from './categories.sql';

const invalidateIfExists = invalidateOn(categoryExists);

/** @returns the new id */
export async function addCategory(
  { idempotency, cache }: AuthContext,
  name: string,
  attempt: Attempt | undefined,
): Promise<{ id: number }> {
  const scopes = [cacheScope.categories];
  const added = await invalidateIfExists(cache, scopes, async function addOnce() {
    return await idempotency.once(
      attempt,
      async function insertNew(sql) {
        return { id: await insertCategory(sql, name) };
      },
      { isOneStatement: true },
    );
  });
  await cache.invalidate(scopes);
  return added;
}
