import { invalidateIfGone } from '@shop/core/cache';
import { lockInIdOrder } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch } from '@shop/core/preconditions';
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
    const productIds = await listProductIds(db, id);
    await db.transaction(async function deleteLocked(sql) {
      // Lock order: products before their category, as in a product edit. Deleting the category clears their category_id.
      await lockInIdOrder(sql, 'products', productIds);
      await assertUnchanged(sql, ifMatch, { table: 'categories', id, find: getCategory });
      if (!(await deleteCategoryRow(sql, id))) throw notFound();
    });
    await cache.invalidate([cacheScope.everything]);
  });
}
