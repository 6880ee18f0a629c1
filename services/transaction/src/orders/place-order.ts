import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { operationDeadline } from '@shop/core/db';
import type { AppError } from '@shop/core/errors';
import type { Attempt } from '@shop/core/idempotency';
import { centsToDecimal, centsToNumber, insufficientStock, MAX_CENTS, productScopes } from '@shop/shop';
import type { TransactionContext } from '../service';
import {
  hasAddress,
  hasVerifiedEmail,
  insertOrder,
  insertOrderLines,
  type LockedProduct,
  lockProducts,
  takeStock,
} from './checkout.sql';
import {
  addressNotFound,
  emailNotVerified,
  MAX_LINE_QUANTITY,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalChanged,
  totalTooLarge,
} from './orders.errors';
import type { NewOrder, OrderLine } from './orders.schemas';
import { findSoldProducts, type SoldProducts } from './orders.sql';
import { WORK_MS } from './product-bulkhead';

interface PlacedOrder {
  id: number;
  /** `total` is in cents. undefined if an earlier request with the same key placed the order. */
  placed?: { sold: SoldProducts; total: bigint };
}

/** The checkout. @returns the id of the order */
export async function placeOrder(
  { db, cache, idempotency, productBulkhead, orderMetrics, requiresVerifiedEmail }: TransactionContext,
  buyer: Caller,
  order: NewOrder,
  attempt: Attempt | undefined,
): Promise<number> {
  const deadline = operationDeadline();
  const lines = mergeLines(order.items);
  const productIds = lines.map(({ productId }) => productId);

  async function placeInTransaction(sql: Sql): Promise<PlacedOrder> {
    return await placeLocked(sql, buyer, order, lines);
  }
  async function transaction<R>(work: (sql: Sql) => Promise<R>): Promise<R> {
    return await productBulkhead.run(productIds, deadline - WORK_MS, async function runInBulkhead() {
      return await db.transaction(work, deadline);
    });
  }

  try {
    if (requiresVerifiedEmail && !(await hasVerifiedEmail(db, buyer.id))) throw emailNotVerified();
    const { id, placed } = await idempotency.once(attempt, placeInTransaction, { transaction, orderIdOf });
    const sold = placed?.sold ?? (await findSoldProducts(db, id));
    if (sold) await cache.invalidate(productScopes(sold));
    if (placed) orderMetrics.countPlaced(placed.total);
    return id;
  } catch (error) {
    orderMetrics.countRefused(error);
    throw error;
  }
}

const orderIdOf = ({ id }: PlacedOrder): number => id;

/** Locks the products in id order, so that two baskets cannot deadlock, and validates the order on the locked rows. */
async function placeLocked(
  sql: Sql,
  buyer: Caller,
  { address_id: addressId, expected_total: expectedTotal }: NewOrder,
  lines: OrderLine[],
): Promise<PlacedOrder> {
  const products = await lockProducts(sql, lines);
  const [first] = products;
  const problem = findProblem(lines, products, expectedTotal);
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
  return { id, placed: { sold: { productIds: products.map((product) => product.id), storeId, ownerId }, total } };
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
function findProblem(
  lines: OrderLine[],
  products: LockedProduct[],
  expectedTotal: bigint | undefined,
): AppError | undefined {
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
  const total = totalOf(lines, products);
  if (total > MAX_CENTS) return totalTooLarge();
  if (expectedTotal === undefined || expectedTotal === total) return undefined;
  return totalChanged({
    message: `The total is now ${centsToDecimal(total)}, not ${centsToDecimal(expectedTotal)}.`,
    members: { total: centsToNumber(total) },
  });
}
