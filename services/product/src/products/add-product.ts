import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { mayHaveBeenWritten } from '@shop/core/db';
import type { UploadedFile } from '@shop/core/storage';
import { newStoredName, productScopes } from '@shop/shop';
import type { ProductContext } from '../service';
import { noStore, storeNotFound } from './products.errors';
import type { NewProduct } from './products.schemas';
import {
  findOldestStore,
  findProduct,
  findStore,
  insertProduct,
  insertStockMovement,
  type OwnedProduct,
} from './products.sql';

/** Stores the image before the product's row, so that no row refers to a missing file. */
export async function addProduct(
  ctx: ProductContext,
  caller: Caller,
  { store_id, ...values }: NewProduct,
  file: UploadedFile | undefined,
): Promise<OwnedProduct> {
  const store = await getStoreToSellIn(ctx, caller, store_id);
  const image = file ? newStoredName(caller.id, file.kind) : null;
  if (file && image) await ctx.storage.put(image, file);
  let added: OwnedProduct;
  try {
    added = await insertWithStock(ctx, values, store.id, image);
  } catch (error) {
    if (image) await discardUnlessWritten(ctx, image, error);
    throw error;
  }
  await ctx.cache.invalidate(productScopes({ productIds: [added.id], storeId: store.id, ownerId: store.ownerId }));
  return added;
}

async function getStoreToSellIn({ db }: ProductContext, caller: Caller, storeId: number | undefined) {
  if (storeId === undefined) {
    const oldest = await findOldestStore(db, caller.id);
    if (!oldest) throw noStore();
    return oldest;
  }
  const store = await findStore(db, storeId);
  if (!store) throw storeNotFound();
  assertOwnerOrAdmin(caller, store.ownerId);
  return store;
}

async function insertWithStock(
  { db }: ProductContext,
  values: Omit<NewProduct, 'store_id'>,
  storeId: number,
  image: string | null,
): Promise<OwnedProduct> {
  return await db.transaction(async function insertAndRead(sql) {
    const id = await insertProduct(sql, values, storeId, image);
    await insertStockMovement(sql, { productId: id, reason: 'initial', quantity: values.stock });
    // Read before the commit, while the new row still locks its store. After the commit both can be deleted.
    const added = await findProduct(sql, id);
    if (!added) throw storeNotFound();
    return added;
  });
}

async function discardUnlessWritten({ storage, logger }: ProductContext, image: string, error: unknown): Promise<void> {
  if (mayHaveBeenWritten(error))
    logger.warn({ file: image }, 'the database response to adding a product was lost; keeping its image');
  else await storage.discard([image]);
}
