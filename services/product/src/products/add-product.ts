import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import type { Attempt } from '@shop/core/idempotency';
import type { UploadedFile } from '@shop/core/storage';
import { newStoredName, productScopes, writeWithFile } from '@shop/shop';
import type { ProductContext } from '../service';
import { noStore, storeNotFound } from './products.errors';
import type { NewProduct, Product } from './products.schemas';
import { findOldestStore, findStore, insertProduct, insertStockMovement, type SellingStore } from './products.sql';

/** As the API shows it. A replay lacks `ownerId`. */
type AddedProduct = Product & { ownerId?: number };

export async function addProduct(
  ctx: ProductContext,
  caller: Caller,
  input: NewProduct,
  file: UploadedFile | undefined,
  attempt: Attempt | undefined,
): Promise<Product> {
  const image = file && { name: newStoredName(caller.id, file.kind), file };
  const added = await writeWithFile<AddedProduct>(ctx, image, attempt, async function insertNew(sql) {
    return await insertWithStock(sql, caller, input, image?.name ?? null);
  });
  const { id, store_id: storeId } = added;
  const ownerId = added.ownerId ?? (await findStore(ctx.db, storeId))?.ownerId;
  // Who deletes a store invalidates everything.
  if (ownerId !== undefined) await ctx.cache.invalidate(productScopes({ productIds: [id], storeId, ownerId }));
  return added;
}

async function insertWithStock(
  sql: Sql,
  caller: Caller,
  input: NewProduct,
  image: string | null,
): Promise<AddedProduct> {
  const store = await getStoreToSellIn(sql, caller, input.store_id);
  const added = await insertProduct(sql, input, store, image);
  await insertStockMovement(sql, { productId: added.id, reason: 'initial', quantity: added.stock, note: null });
  return added;
}

async function getStoreToSellIn(sql: Sql, caller: Caller, storeId: number | undefined): Promise<SellingStore> {
  if (storeId === undefined) {
    const oldest = await findOldestStore(sql, caller.id);
    if (!oldest) throw noStore();
    return oldest;
  }
  const store = await findStore(sql, storeId);
  if (!store) throw storeNotFound();
  assertOwnerOrAdmin(caller, store.ownerId);
  return store;
}
