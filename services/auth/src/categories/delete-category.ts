import { invalidateIfGone } from '@shop/core/cache';
import { type IfMatch, writeExisting } from '@shop/core/preconditions';
import { cacheScope } from '@shop/shop';
import type { AuthContext } from '../service';
import type { Category } from './categories.schemas';
import { deleteCategoryRow, getCategory, listProductIds } from './categories.sql';

/** Its products are kept without a category. Invalidates everything: any cached product may name the category. */
export async function deleteCategory(
  { db, cache }: AuthContext,
  id: number,
  ifMatch: IfMatch<Category>,
): Promise<void> {
  await invalidateIfGone(cache, [cacheScope.everything], async function deleteAndInvalidate() {
    // Lock order: products before their category, as in a product edit. Deleting the category clears their category_id.
    const lockFirst = { table: 'products', ids: await listProductIds(db, id) };
    const row = { table: 'categories', id, find: getCategory, lockFirst };
    await writeExisting(db, ifMatch, row, (sql) => deleteCategoryRow(sql, id));
    await cache.invalidate([cacheScope.everything]);
  });
}
