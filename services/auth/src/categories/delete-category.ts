import { invalidateIfGone } from '@shop/core/cache';
import { lockInIdOrder } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { cacheScope } from '@shop/shop';
import type { AuthContext } from '../service';
import { deleteCategoryRow, listProductIds } from './categories.sql';

/** Its products are kept without a category. Invalidates everything: any cached product may name the category. */
export async function deleteCategory({ db, cache }: AuthContext, id: number): Promise<void> {
  await invalidateIfGone(cache, [cacheScope.everything], async function deleteAndInvalidate() {
    const productIds = await listProductIds(db, id);
    await db.transaction(async function deleteLocked(sql) {
      // Lock order: products before their category, as in a product edit. Deleting the category clears their category_id.
      await lockInIdOrder(sql, 'products', productIds);
      if (!(await deleteCategoryRow(sql, id))) throw notFound();
    });
    await cache.invalidate([cacheScope.everything]);
  });
}
