import type { Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import { productScopes } from '@shop/shop';
import type { ProductContext } from '../service';
import { getProduct } from './get-product';
import type { ProductChanges } from './products.schemas';
import { insertStockMovement, lockProduct, updateProduct } from './products.sql';

/** Updates the given fields. `stock` overwrites the current stock. */
export async function changeProduct(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  changes: ProductChanges,
): Promise<void> {
  const { store_id: storeId, ownerId } = await getProduct(ctx, caller, id);
  const { stock } = changes;
  const exists =
    stock === undefined
      ? await updateProduct(ctx.db, id, changes)
      : await updateWithStock(ctx, id, { ...changes, stock });
  if (!exists) throw notFound();
  await ctx.cache.invalidate(productScopes({ productIds: [id], storeId, ownerId }));
}

/** @returns whether the product exists */
async function updateWithStock(
  { db }: ProductContext,
  id: number,
  changes: ProductChanges & { stock: number },
): Promise<boolean> {
  return await db.transaction(async function updateLocked(sql) {
    const before = await lockProduct(sql, id);
    if (!before) return false;
    const quantity = changes.stock - before.stock;
    if (quantity !== 0) await insertStockMovement(sql, { productId: id, reason: 'edit', quantity, note: null });
    return await updateProduct(sql, id, changes);
  });
}
