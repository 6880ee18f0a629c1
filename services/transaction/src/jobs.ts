import { deleteExpiredKeys } from '@shop/core/idempotency';
import { deletionJob, type Job } from '@shop/core/service';
import { countFaults, verifyStock } from './ledger/verify-stock';
import { cancelUnpaidOrders, createUnpaidOrders } from './orders/cancel-unpaid-orders';
import type { TransactionContext, TransactionSettings } from './service';

/** The background jobs of this service. */
export function transactionJobs(ctx: TransactionContext, { PENDING_ORDER_TTL_MINUTES }: TransactionSettings): Job[] {
  const jobs: Job[] = [forgetExpiredKeys(ctx), { name: 'verify_stock', everySeconds: 120, run: stockCheck(ctx) }];
  if (PENDING_ORDER_TTL_MINUTES > 0) {
    const unpaid = createUnpaidOrders(ctx.metrics, PENDING_ORDER_TTL_MINUTES);
    const run = async (stopping?: AbortSignal) => await cancelUnpaidOrders(ctx, unpaid, stopping);
    jobs.push({ name: 'cancel_unpaid_orders', everySeconds: 20, run });
  }
  return jobs;
}

/** Those of all services: their statements are short, and one service is enough. */
const forgetExpiredKeys = ({ db }: TransactionContext): Job =>
  deletionJob('forget_expired_idempotency_keys', 60, 500, async function deleteBatch(limit) {
    return await deleteExpiredKeys(db, limit);
  });

function stockCheck({ db, logger, metrics }: TransactionContext): Job['run'] {
  let mismatches = 0;
  metrics.gauge(
    'stock_ledger_mismatches',
    'Products with a wrong stock plus orders with a wrong restock or total. Must be 0',
    () => mismatches,
  );
  return async function checkStock() {
    mismatches = countFaults(await verifyStock(db));
    if (mismatches > 0) logger.error({ mismatches }, 'stock does not add up: run `npm run verify:stock`');
  };
}
