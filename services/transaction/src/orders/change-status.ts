import { type AnswerCache, type Caller, type LockWait, notFound, operationDeadline, productScopes } from '@shop/core';
import type { OrderRepository } from './order.repository';
import type { OrderStatus } from './order.schemas';
import { checkStep, isInvalidTransition, type Party, partiesOf } from './order-status';
import { type ProductBulkhead, WORK_MS } from './product-bulkhead';
import type { LockedOrder, StatusRepository } from './status.repository';
import type { StockRepository } from './stock.repository';

interface StatusTransaction {
  statuses: Pick<StatusRepository, 'lock' | 'change'>;
  stock: Pick<StockRepository, 'putBack'>;
  orders: Pick<OrderRepository, 'findTouched'>;
}

interface Parts {
  /** One database transaction; may run its work again after a deadlock. */
  inTransaction: <T>(work: (transaction: StatusTransaction) => Promise<T>, deadline?: number) => Promise<T>;
  cache: Pick<AnswerCache, 'invalidate'>;
}

interface Change {
  id: number;
  to: OrderStatus;
  /** null: the shop itself. */
  by: number | null;
  partiesIn: (order: LockedOrder) => Party[];
  wait?: LockWait;
  deadline?: number;
}

/**
 * Takes a step of the status machine: the state is checked on the locked row, so of two that race one finds it changed.
 * Cancelling puts the stock back in the same database transaction.
 * @throws AppError `not_found`, `forbidden`, `invalid_transition`
 */
const takeStep =
  ({ inTransaction, cache }: Parts) =>
  async ({ id, to, by, partiesIn, wait = 'wait', deadline }: Change): Promise<void> => {
    const touched = await inTransaction(async ({ statuses, stock }) => {
      const order = await statuses.lock(id, wait);
      if (!order) throw notFound();
      checkStep(partiesIn(order), order.status, to);
      const productIds = to === 'cancelled' ? await stock.putBack(id, wait) : undefined;
      // After the products: it locks the user who asked, as a checkout does last.
      await statuses.change({ id, from: order.status, to, by });
      return productIds && { productIds, storeId: order.storeId, ownerId: order.sellerId };
    }, deadline);
    if (touched) await cache.invalidate(productScopes(touched));
  };

/**
 * Invalidates again where a step is refused: the order may have been cancelled by an earlier attempt of the same request
 * that died between its commit and its invalidation.
 */
const withRepeatedInvalidation =
  (step: ReturnType<typeof takeStep>, { inTransaction, cache }: Parts) =>
  async (change: Change): Promise<void> => {
    try {
      await step(change);
    } catch (error) {
      if (isInvalidTransition(error)) {
        const touched = await inTransaction(({ orders }) => orders.findTouched(change.id));
        if (touched) await cache.invalidate(productScopes(touched));
      }
      throw error;
    }
  };

interface CancellationParts {
  orders: Pick<OrderRepository, 'findTouched'>;
  perProduct: ProductBulkhead;
}

/** A step that a user asks for. @throws AppError `not_found`, `forbidden`, `invalid_transition` */
export const changeStatus = (parts: Parts & CancellationParts) => {
  const step = withRepeatedInvalidation(takeStep(parts), parts);
  return async (caller: Caller, id: number, to: OrderStatus): Promise<void> => {
    const deadline = operationDeadline();
    const take = () => step({ id, to, by: caller.id, partiesIn: (order) => partiesOf(caller, order), deadline });
    // A cancellation locks the products that it restocks, so it must not fill the pool while one of them is locked.
    const order = to === 'cancelled' ? await parts.orders.findTouched(id) : undefined;
    await (order ? parts.perProduct(order.productIds, deadline - WORK_MS, take) : take());
  };
};

/**
 * Cancels an order that was not paid in time.
 * @throws AppError `not_found`, `invalid_transition`; `database_busy` where another holds a lock
 */
export const cancelUnpaid = (parts: Parts) => {
  const step = withRepeatedInvalidation(takeStep(parts), parts);
  return (id: number, wait: LockWait): Promise<void> =>
    step({ id, to: 'cancelled', by: null, partiesIn: () => ['shop'], wait });
};
