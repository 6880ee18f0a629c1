import type { Caller } from '@shop/core/auth';
import { invalidateIfGone } from '@shop/core/cache';
import { lockInIdOrder } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch } from '@shop/core/preconditions';
import { cacheScope } from '@shop/shop';
import type { StoreContext } from '../service';
import { getStore } from './get-store';
import { storeHasOrders } from './stores.errors';
import type { Store } from './stores.schemas';
import { deleteStoreRow, findStore, hasOrders, listProductIds, listProductImages, lockStore } from './stores.sql';

/** Deletes a store with its products, then their image files. */
export async function deleteStore(
  ctx: StoreContext,
  caller: Caller,
  id: number,
  ifMatch: IfMatch<Store>,
): Promise<void> {
  await invalidateIfGone(ctx.cache, [cacheScope.everything], async function deleteExistingStore() {
    await getStore(ctx.db, caller, id);
    // The foreign key is the real check. This one refuses most stores with orders before locking their products.
    if (await hasOrders(ctx.db, id)) throw storeHasOrders();
    const images = await deleteWithProducts(ctx, id, ifMatch);
    await ctx.cache.invalidate([cacheScope.everything]);
    await ctx.storage.discard(images);
  });
}

/** @returns the stored names of its products' images */
async function deleteWithProducts({ db }: StoreContext, id: number, ifMatch: IfMatch<Store>): Promise<string[]> {
  const productIds = await listProductIds(db, id);
  return await db.transaction(async function deleteLocked(sql) {
    // Lock order: products before their store, as in a checkout. A product added in between is deleted with the store.
    await lockInIdOrder(sql, 'products', productIds);
    if (!(await lockStore(sql, id))) throw notFound();
    await assertUnchanged(sql, ifMatch, { table: 'stores', id, find: findStore });
    // Nobody can add a product to a locked store, so this list is complete.
    const images = await listProductImages(sql, id);
    await deleteStoreRow(sql, id);
    return images;
  });
}
