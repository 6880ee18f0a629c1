import type { Caller } from '@shop/core/auth';
import { invalidateIfGone } from '@shop/core/cache';
import { type IfMatch, writeIfUnchanged } from '@shop/core/preconditions';
import { cacheScope, productScopes } from '@shop/shop';
import type { ProductContext } from '../service';
import { getProduct } from './get-product';
import type { Product } from './products.schemas';
import { deleteProductWithImage, findProduct, type OwnedProduct } from './products.sql';

/** Deletes the row first, then the image file. Past orders keep their lines. */
export async function deleteProduct(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  ifMatch: IfMatch<Product>,
): Promise<void> {
  await invalidateIfGone(ctx.cache, [cacheScope.everything], async function deleteExistingProduct() {
    const { store_id: storeId, ownerId, image } = await deleteAsRead(ctx, caller, id, ifMatch);
    await ctx.cache.invalidate(productScopes({ productIds: [id], storeId, ownerId }));
    if (image) await ctx.storage.discard([image]);
  });
}

/** @returns the deleted product */
async function deleteAsRead(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  ifMatch: IfMatch<Product>,
): Promise<OwnedProduct> {
  for (;;) {
    const product = await getProduct(ctx, caller, id);
    const isDeleted = await writeIfUnchanged(ctx.db, ifMatch, { table: 'products', id, find: findProduct }, (sql) =>
      deleteProductWithImage(sql, id, product.image),
    );
    if (isDeleted) return product;
    // Another image has replaced the one that was read, or the product is gone.
  }
}
