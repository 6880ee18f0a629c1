import type { Caller } from '@shop/core/auth';
import type { LockWait, Sql } from '@shop/core/db';
import { operationDeadline } from '@shop/core/db';
import { errorCode, notFound, preconditionFailed } from '@shop/core/errors';
import { assertUnchanged, type IfMatch } from '@shop/core/preconditions';
import { productScopes } from '@shop/shop';
import type { TransactionContext } from '../service';
import { findOrderDetails } from './get-order';
import { assertStepFrom, isInvalidTransition, type Party, partiesOf, stepsTo } from './order-status';
import type { OrderDetails, OrderStatus } from './orders.schemas';
import { findSoldProducts, type SoldProducts } from './orders.sql';
import { WORK_MS } from './product-bulkhead';
import { type LockedOrder, lockOrder, putStockBack, setStatus } from './statuses.sql';

interface Change {
  id: number;
  to: OrderStatus;
  /** null: the job that cancels unpaid orders. */
  by: number | null;
  partiesIn: (order: LockedOrder) => Party[];
  wait: LockWait;
  ifMatch?: IfMatch<OrderDetails>;
}

/** Changes the status on behalf of a user. */
export async function changeStatus(
  ctx: Pick<TransactionContext, 'db' | 'cache' | 'productBulkhead' | 'orderMetrics'>,
  caller: Caller,
  id: number,
  to: OrderStatus,
  ifMatch?: IfMatch<OrderDetails>,
): Promise<void> {
  const deadline = operationDeadline();
  async function changeByCaller(): Promise<void> {
    const partiesIn = (order: LockedOrder) => partiesOf(caller, order);
    await takeStep(ctx, { id, to, by: caller.id, partiesIn, wait: 'wait', ifMatch }, deadline);
  }
  // A cancellation locks the products it restocks, so it must not occupy the whole pool while one of them is locked.
  const sold = to === 'cancelled' ? await findSoldProducts(ctx.db, id) : undefined;
  if (sold) await ctx.productBulkhead.run(sold.productIds, deadline - WORK_MS, changeByCaller);
  else await changeByCaller();
  if (to === 'cancelled') ctx.orderMetrics.countCancelled('person');
}

/** Cancels an order that was not paid in time. @param wait `nowait` fails if another database transaction has the lock */
export async function cancelUnpaid(
  ctx: Pick<TransactionContext, 'db' | 'cache' | 'orderMetrics'>,
  id: number,
  wait: LockWait,
): Promise<void> {
  await takeStep(ctx, { id, to: 'cancelled', by: null, partiesIn: () => ['shop'], wait });
  ctx.orderMetrics.countCancelled('shop');
}

async function takeStep(
  { db, cache }: Pick<TransactionContext, 'db' | 'cache'>,
  change: Change,
  deadline?: number,
): Promise<void> {
  let restocked: SoldProducts | undefined;
  try {
    restocked = await db.transaction(async function changeInTransaction(sql) {
      return await changeLocked(sql, change);
    }, deadline);
  } catch (error) {
    if (isInvalidTransition(error) || errorCode(error) === preconditionFailed.code) {
      // An earlier attempt of the same request may have cancelled the order and crashed before invalidating the cache.
      const sold = await findSoldProducts(db, change.id);
      if (sold) await cache.invalidate(productScopes(sold));
    }
    throw error;
  }
  if (restocked) await cache.invalidate(productScopes(restocked));
}

/**
 * Takes a step of the state machine. Checks the status on the locked row, so that only one of two concurrent changes wins.
 * A cancellation restocks the products in the same database transaction.
 * @returns the restocked products
 */
async function changeLocked(
  sql: Sql,
  { id, to, by, partiesIn, wait, ifMatch }: Change,
): Promise<SoldProducts | undefined> {
  const order = await lockOrder(sql, id, wait);
  if (!order) throw notFound();
  const allowedSteps = stepsTo(to, partiesIn(order));
  await assertUnchanged(sql, ifMatch, { table: 'transactions', id, find: findOrderDetails });
  assertStepFrom(order.status, to, allowedSteps);
  const productIds = to === 'cancelled' ? await putStockBack(sql, id, wait) : undefined;
  // After the products: it locks the caller's user row (foreign key), which a checkout also locks after its products.
  await setStatus(sql, { id, from: order.status, to, by });
  return productIds && { productIds, storeId: order.storeId, ownerId: order.sellerId };
}
