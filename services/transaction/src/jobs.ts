import type { Job, Resources } from '@shop/core';
import { forgetExpiredKeys } from './idempotency/forget-expired-keys';
import { countFaults, verifyStock } from './ledger/verify-stock';
import { cancelUnpaidOrders } from './orders/cancel-unpaid-orders';
import { cancelUnpaid } from './orders/change-status';
import { countedCancelling } from './orders/order-figures';
import { repositories } from './repositories';
import type { TransactionSettings } from './settings';

/** What this service does by itself. */
export function transactionJobs({ db, cache, logger, metrics }: Resources, own: TransactionSettings): Job[] {
  const { keys, statuses } = repositories(db);
  const cancel = countedCancelling(metrics).byShop(
    cancelUnpaid({ inTransaction: (work) => db.transaction((sql) => work(repositories(sql))), cache }),
  );
  const ttlMinutes = own.PENDING_ORDER_TTL_MINUTES;
  let mismatches = 0;
  metrics.gauge(
    'stock_ledger_mismatches',
    'Products whose stock, and orders whose restock or total, does not add up: must be 0',
    () => mismatches,
  );
  return [
    { name: 'forget_expired_idempotency_keys', everySeconds: 60, run: forgetExpiredKeys({ keys }) },
    {
      name: 'verify_stock',
      everySeconds: 120,
      async run() {
        mismatches = countFaults(await verifyStock(db));
        if (mismatches > 0) logger.error({ mismatches }, 'stock does not add up: run `npm run verify:stock`');
      },
    },
    ...(ttlMinutes > 0
      ? [
          {
            name: 'cancel_unpaid_orders',
            everySeconds: 20,
            run: cancelUnpaidOrders({ statuses, cancel, ttlMinutes, logger, metrics }),
          },
        ]
      : []),
  ];
}
