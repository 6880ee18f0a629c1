import { invalidateIfChanged } from '@shop/core/cache';
import { type IfMatch, writeIfUnchanged } from '@shop/core/preconditions';
import { cacheScope } from '@shop/shop';
import type { AuthContext } from '../service';
import type { Category } from './categories.schemas';
import { getCategory, updateCategoryName } from './categories.sql';

export async function renameCategory(
  { db, cache }: AuthContext,
  id: number,
  name: string,
  ifMatch: IfMatch<Category>,
): Promise<void> {
  // Cached responses about a product name its category by its id only.
  const scopes = [cacheScope.categories];
  const row = { table: 'categories', id, find: getCategory };
  await invalidateIfChanged(cache, scopes, async function renameUnchanged() {
    await writeIfUnchanged(db, ifMatch, row, (sql) => updateCategoryName(sql, id, name));
  });
  await cache.invalidate(scopes);
}
