import type { Caller } from '@shop/core/auth';
import { invalidateIfChanged } from '@shop/core/cache';
import { notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch, writeIfUnchanged } from '@shop/core/preconditions';
import { productScopes } from '@shop/shop';
import type { ProductContext } from '../service';
import { getProduct } from './get-product';
import type { Product, ProductChanges } from './products.schemas';
import { findProduct, insertStockMovement, lockProduct, updateProduct } from './products.sql';

/** Updates the given fields. `stock` overwrites the current stock. */
export async function changeProduct(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  changes: ProductChanges,
  ifMatch: IfMatch<Product>,
): Promise<void> {
  const { store_id: storeId, ownerId } = await getProduct(ctx, caller, id);
  const scopes = productScopes({ productIds: [id], storeId, ownerId });
  const { stock, name, description } = changes;
  const exists = await invalidateIfChanged(ctx.cache, scopes, async function updateUnchanged() {
    if (stock !== undefined) return await updateWithStock(ctx, id, { ...changes, stock }, ifMatch);
    if (name !== undefined || description !== undefined) return await updateTexts(ctx, id, changes, ifMatch);
    return await writeIfUnchanged(ctx.db, ifMatch, row(id), (sql) => updateProduct(sql, id, changes));
  });
  if (!exists) throw notFound();
  await ctx.cache.invalidate(scopes);
}

const row = (id: number) => ({ table: 'products', id, find: findProduct });

/** @returns whether the product exists */
async function updateWithStock(
  { db }: ProductContext,
  id: number,
  changes: ProductChanges & { stock: number },
  ifMatch: IfMatch<Product>,
): Promise<boolean> {
  return await db.transaction(async function updateLocked(sql) {
    const before = await lockProduct(sql, id);
    if (!before) return false;
    await assertUnchanged(sql, ifMatch, row(id));
    const quantity = changes.stock - before.stock;
    if (quantity !== 0) await insertStockMovement(sql, { productId: id, reason: 'edit', quantity, note: null });
    return await updateProduct(sql, id, changes);
  });
}

async function updateTexts(
  { db }: ProductContext,
  id: number,
  changes: ProductChanges,
  ifMatch: IfMatch<Product>,
): Promise<boolean> {
  return await db.transaction(async function updateWithTerms(sql) {
    await assertUnchanged(sql, ifMatch, row(id));
    return await updateProduct(sql, id, changes);
  });
}
