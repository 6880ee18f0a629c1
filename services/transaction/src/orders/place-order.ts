import { type AnswerCache, type AppError, type Caller, MAX_CENTS, operationDeadline, productScopes } from '@shop/core';
import type { IdempotencyRepository } from '../idempotency/idempotency.repository';
import { type KeyedRequest, nameOf } from '../idempotency/idempotency-key';
import type { InTurn } from '../idempotency/turns';
import {
  addressNotFound,
  insufficientStock,
  MAX_LINE_QUANTITY,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalTooLarge,
} from './order.errors';
import type { OrderRepository } from './order.repository';
import type { NewOrder, OrderLine } from './order.schemas';
import { type ProductBulkhead, WORK_MS } from './product-bulkhead';
import type { LockedProduct, StockRepository } from './stock.repository';

interface OrderTransaction {
  orders: Pick<OrderRepository, 'insert' | 'insertLogs' | 'findTouched'>;
  stock: Pick<StockRepository, 'lockProducts' | 'ownsAddress' | 'take'>;
  keys: Pick<IdempotencyRepository, 'claim' | 'settle'>;
}

interface Parts {
  /** One database transaction; may run its work again after a deadlock. */
  inTransaction: <T>(work: (transaction: OrderTransaction) => Promise<T>, deadline: number) => Promise<T>;
  perProduct: ProductBulkhead;
  /** For attempts with the same key. */
  inTurn: InTurn;
  cache: AnswerCache;
}

export interface PlacedOrder {
  id: number;
  /** Whether this is the answer that an earlier request with the same key had. */
  replayed: boolean;
  /** In cents; undefined where it is replayed. */
  total: bigint | undefined;
}

/**
 * The checkout. Locks the products in the order of their ids, so that two baskets can never wait for each other, and
 * decides everything on the locked rows. A key is taken first and settled last, all in the order's own database
 * transaction: no crash can leave one without the other, and a refused order leaves its key free. A replay invalidates the
 * cache like the first attempt, which may have died, or may stand still, between its commit and that.
 * @throws AppError `idempotency_key_reused`, `address_not_found`, `product_not_found`, `mixed_stores`, `insufficient_stock`, `quantity_too_large`,
 *   `total_too_large`
 */
export const placeOrder =
  ({ inTransaction, perProduct, inTurn, cache }: Parts) =>
  async (buyer: Caller, { address_id: addressId, items }: NewOrder, keyed?: KeyedRequest): Promise<PlacedOrder> => {
    const deadline = operationDeadline();
    const lines = mergeLines(items);
    const productIds = lines.map(({ productId }) => productId);
    const attempt = async ({ orders, stock, keys }: OrderTransaction) => {
      const earlier = keyed && (await keys.claim(keyed));
      if (earlier !== undefined) {
        return { id: earlier, replayed: true, touched: await orders.findTouched(earlier), total: undefined };
      }
      const products = await stock.lockProducts(lines);
      const [first] = products;
      const problem = refusal(lines, products);
      if (problem || !first) {
        // A wrong address is told first, but asked for only here: the insert below checks it without a round trip.
        throw (await stock.ownsAddress(buyer.id, addressId)) && problem ? problem : addressNotFound();
      }
      const { storeId, ownerId } = first;
      const total = totalOf(lines, products);
      const id = await orders.insert({ buyerId: buyer.id, storeId, addressId, total });
      if (id === undefined) throw addressNotFound();
      await orders.insertLogs(id, lines, products);
      if ((await stock.take(lines)) < lines.length) throw insufficientStock();
      if (keyed) await keys.settle(keyed, id);
      return {
        id,
        replayed: false,
        touched: { productIds, storeId, ownerId },
        total,
      };
    };
    const tryOnce = () => perProduct(productIds, deadline - WORK_MS, () => inTransaction(attempt, deadline));
    const { touched, ...placed } = await (keyed ? inTurn(nameOf(keyed), tryOnce) : tryOnce());
    if (touched) await cache.invalidate(productScopes(touched));
    return placed;
  };

/** Sums the quantities of repeated products and sorts by product id: the order in which rows are locked everywhere. */
export function mergeLines(items: NewOrder['items']): OrderLine[] {
  const quantities = new Map<number, number>();
  for (const { product_id, quantity } of items)
    quantities.set(product_id, (quantities.get(product_id) ?? 0) + quantity);
  return [...quantities]
    .map(([productId, quantity]) => ({ productId, quantity }))
    .sort((a, b) => a.productId - b.productId);
}

/** Exact, in cents: quantities times prices exceed what a double holds. @param products in the order of `lines` */
export const totalOf = (lines: OrderLine[], products: Pick<LockedProduct, 'price'>[]): bigint =>
  products.reduce((sum, { price }, index) => sum + price * BigInt(lines[index]?.quantity ?? 0), 0n);

/** Why these lines cannot be ordered, on the locked rows. */
function refusal(lines: OrderLine[], products: LockedProduct[]): AppError | undefined {
  const stocks = new Map(products.map(({ id, stock }) => [id, stock]));
  const demands = lines.map(({ productId, quantity }) => ({
    product_id: productId,
    requested: quantity,
    available: stocks.get(productId) ?? 0,
  }));
  const missing = demands.filter(({ product_id }) => !stocks.has(product_id));
  if (missing.length > 0) {
    const ids = missing.map(({ product_id }) => product_id).join(', ');
    return productNotFound({ message: `There is no product ${ids}.`, products: missing });
  }
  if (new Set(products.map(({ storeId }) => storeId)).size > 1) return mixedStores({ products: demands });
  const tooLarge = demands.filter(({ requested }) => requested > MAX_LINE_QUANTITY);
  if (tooLarge.length > 0) return quantityTooLarge({ products: tooLarge });
  const short = demands.filter(({ requested, available }) => available < requested);
  if (short.length > 0) {
    const left = short.map(({ product_id, available }) => `product ${product_id} (${available} left)`).join(', ');
    return insufficientStock({ message: `Not enough stock of ${left}.`, products: short });
  }
  return totalOf(lines, products) > MAX_CENTS ? totalTooLarge() : undefined;
}
