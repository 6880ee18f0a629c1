import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { operationDeadline } from '@shop/core/db';
import type { AppError } from '@shop/core/errors';
import { insufficientStock, MAX_CENTS, productScopes } from '@shop/shop';
import type { TransactionContext } from '../service';
import {
  claimKey,
  hasAddress,
  hasVerifiedEmail,
  insertOrder,
  insertOrderLines,
  type LockedProduct,
  lockProducts,
  settleKey,
  takeStock,
} from './checkout.sql';
import { type Attempt, fingerprint } from './idempotency-key';
import {
  addressNotFound,
  emailNotVerified,
  MAX_LINE_QUANTITY,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalTooLarge,
} from './orders.errors';
import type { NewOrder, OrderLine } from './orders.schemas';
import { findSoldProducts } from './orders.sql';
import { WORK_MS } from './product-bulkhead';

/** An idempotency key is unique per user and route. */
const ROUTE = 'POST /api/v1/transactions';

/**
 * The checkout. A replay also invalidates the cache, because the first attempt may have crashed or stalled between its
 * commit and its invalidation.
 * @returns `replayed`: an earlier request with the same key placed the order
 */
export async function placeOrder(
  { db, cache, keyMutex, productBulkhead, orderMetrics, requiresVerifiedEmail }: TransactionContext,
  buyer: Caller,
  order: NewOrder,
  key: string | undefined,
): Promise<{ id: number; replayed: boolean }> {
  const deadline = operationDeadline();
  const lines = mergeLines(order.items);
  const productIds = lines.map(({ productId }) => productId);
  const attempt = key === undefined ? undefined : { userId: buyer.id, route: ROUTE, key, hash: fingerprint(order) };
  const mutexKey = attempt && `${buyer.id} ${key}`;
  try {
    if (requiresVerifiedEmail && !(await hasVerifiedEmail(db, buyer.id))) throw emailNotVerified();
    const { id, sold, total } = await keyMutex.runExclusive(mutexKey, async function placeWithKey() {
      return await productBulkhead.run(productIds, deadline - WORK_MS, async function placeInBulkhead() {
        return await db.transaction(async function placeInTransaction(sql) {
          return await placeLocked(sql, buyer, order.address_id, lines, attempt);
        }, deadline);
      });
    });
    if (sold) await cache.invalidate(productScopes(sold));
    if (total !== undefined) orderMetrics.countPlaced(total);
    return { id, replayed: total === undefined };
  } catch (error) {
    orderMetrics.countRefused(error);
    throw error;
  }
}

/**
 * Locks the products in id order, so that two baskets cannot deadlock, and validates the order on the locked rows. The key
 * is claimed first and settled last, in the order's own database transaction: no crash can leave one without the other, and
 * a refused order leaves its key unused.
 * @returns `total` is undefined if an earlier request with the same key placed the order
 */
async function placeLocked(sql: Sql, buyer: Caller, addressId: number, lines: OrderLine[], attempt?: Attempt) {
  const earlierId = attempt && (await claimKey(sql, attempt));
  if (earlierId !== undefined) return { id: earlierId, sold: await findSoldProducts(sql, earlierId), total: undefined };
  const products = await lockProducts(sql, lines);
  const [first] = products;
  const problem = findProblem(lines, products);
  if (problem || !first) {
    // A wrong address is reported first, but checked only here: the insert below checks it without a round trip.
    throw (await hasAddress(sql, buyer.id, addressId)) && problem ? problem : addressNotFound();
  }
  const { storeId, ownerId } = first;
  const total = totalOf(lines, products);
  const id = await insertOrder(sql, { buyerId: buyer.id, storeId, addressId, total });
  if (id === undefined) throw addressNotFound();
  await insertOrderLines(sql, id, lines, products);
  if ((await takeStock(sql, lines)) < lines.length) throw insufficientStock();
  if (attempt) await settleKey(sql, attempt, id);
  return { id, sold: { productIds: products.map((product) => product.id), storeId, ownerId }, total };
}

/** Sums the quantities of repeated products and sorts by product id, the global lock order. */
export function mergeLines(items: NewOrder['items']): OrderLine[] {
  const quantities = new Map<number, number>();
  for (const { product_id, quantity } of items)
    quantities.set(product_id, (quantities.get(product_id) ?? 0) + quantity);
  return [...quantities]
    .map(([productId, quantity]) => ({ productId, quantity }))
    .sort((a, b) => a.productId - b.productId);
}

/** In cents, as bigint: quantity times price can exceed the exact range of a double. @param products ordered like `lines` */
export const totalOf = (lines: OrderLine[], products: Pick<LockedProduct, 'price'>[]): bigint =>
  products.reduce((sum, { price }, index) => sum + price * BigInt(lines[index]?.quantity ?? 0), 0n);

/** Why these lines cannot be ordered, checked on the locked rows. */
function findProblem(lines: OrderLine[], products: LockedProduct[]): AppError | undefined {
  const stocks = new Map(products.map(({ id, stock }) => [id, stock]));
  const demands = lines.map(({ productId, quantity }) => ({
    product_id: productId,
    requested: quantity,
    available: stocks.get(productId) ?? 0,
  }));
  const missing = demands.filter(({ product_id }) => !stocks.has(product_id));
  if (missing.length > 0) {
    const ids = missing.map(({ product_id }) => product_id).join(', ');
    return productNotFound({ message: `There is no product ${ids}.`, members: { products: missing } });
  }
  if (new Set(products.map(({ storeId }) => storeId)).size > 1) return mixedStores({ members: { products: demands } });
  const tooLarge = demands.filter(({ requested }) => requested > MAX_LINE_QUANTITY);
  if (tooLarge.length > 0) return quantityTooLarge({ members: { products: tooLarge } });
  const short = demands.filter(({ requested, available }) => available < requested);
  if (short.length > 0) {
    const left = short.map(({ product_id, available }) => `product ${product_id} (${available} left)`).join(', ');
    return insufficientStock({ message: `Not enough stock of ${left}.`, members: { products: short } });
  }
  return totalOf(lines, products) > MAX_CENTS ? totalTooLarge() : undefined;
}
