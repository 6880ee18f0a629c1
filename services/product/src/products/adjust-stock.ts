import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import type { Attempt } from '@shop/core/idempotency';
import { insufficientStock, productScopes } from '@shop/shop';
import type { ProductContext } from '../service';
import { stockTooLarge } from './products.errors';
import { MAX_STOCK, type StockChange } from './products.schemas';
import { findProduct, insertStockMovement, lockProduct, updateStock } from './products.sql';

interface AdjustedStock {
  stock: number;
  /** A replay lacks it. */
  store?: { storeId: number; ownerId: number };
}

/** Adds to the stock or takes from it, whatever it is at this moment. @returns the new stock */
export async function adjustStock(
  { db, cache, idempotency }: ProductContext,
  caller: Caller,
  id: number,
  change: StockChange,
  attempt: Attempt | undefined,
): Promise<{ stock: number }> {
  const adjusted = await idempotency.once<AdjustedStock>(attempt, async function adjustInTransaction(sql) {
    return await adjustLocked(sql, caller, id, change);
  });
  const store = adjusted.store ?? (await findStoreOf(db, id));
  if (store) await cache.invalidate(productScopes({ productIds: [id], ...store }));
  return { stock: adjusted.stock };
}

async function adjustLocked(
  sql: Sql,
  caller: Caller,
  id: number,
  { change, note }: StockChange,
): Promise<AdjustedStock> {
  const locked = await lockProduct(sql, id);
  if (!locked) throw notFound();
  const { storeId, ownerId, stock: available } = locked;
  assertOwnerOrAdmin(caller, ownerId);
  const stock = available + change;
  if (stock < 0) {
    throw insufficientStock({
      message: `Not enough stock: ${available} left.`,
      members: { products: [{ product_id: id, requested: -change, available }] },
    });
  }
  // Cancelled orders can raise it over the limit. Then it can still be reduced.
  if (change > 0 && stock > MAX_STOCK) throw stockTooLarge();
  await updateStock(sql, id, stock);
  await insertStockMovement(sql, { productId: id, reason: 'edit', quantity: change, note: note || null });
  return { stock, store: { storeId, ownerId } };
}

async function findStoreOf(sql: Sql, id: number): Promise<AdjustedStock['store']> {
  const product = await findProduct(sql, id);
  return product && { storeId: product.store_id, ownerId: product.ownerId };
}
