import type { Caller } from '@shop/core/auth';
import { invalidateIfGone } from '@shop/core/cache';
import { notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch } from '@shop/core/preconditions';
import { cacheScope, productScopes } from '@shop/shop';
import type { ProductContext } from '../service';
import { getProduct } from './get-product';
import type { Product } from './products.schemas';
import { deleteProductRow, findProduct, lockProduct } from './products.sql';

/** Deletes the row first, then the image file. Past orders keep their lines. */
export async function deleteProduct(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  ifMatch: IfMatch<Product>,
): Promise<void> {
  await invalidateIfGone(ctx.cache, [cacheScope.everything], async function deleteExistingProduct() {
    const { store_id: storeId, ownerId } = await getProduct(ctx, caller, id);
    const image = await ctx.db.transaction(async function deleteLocked(sql) {
      // Another image may have replaced the one that was read above.
      const locked = await lockProduct(sql, id);
      if (!locked) throw notFound();
      await assertUnchanged(sql, ifMatch, { table: 'products', id, find: findProduct });
      await deleteProductRow(sql, id);
      return locked.image;
    });
    await ctx.cache.invalidate(productScopes({ productIds: [id], storeId, ownerId }));
    if (image) await ctx.storage.discard([image]);
  });
}
