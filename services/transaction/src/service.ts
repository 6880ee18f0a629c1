import type { ServiceDefinition } from '@shop/core';
import { takingTurns } from './idempotency/turns';
import { transactionJobs } from './jobs';
import { changeStatus } from './orders/change-status';
import { listOrders } from './orders/list-orders';
import { orderEndpoints } from './orders/order.endpoints';
import { countedCancelling, countedCheckout } from './orders/order-figures';
import { placeOrder } from './orders/place-order';
import { productBulkhead } from './orders/product-bulkhead';
import { showOrder } from './orders/show-order';
import { type Repositories, repositories } from './repositories';
import { settings } from './settings';

/** Checkouts and cancellations of one product wait for each other's lock: they must not hold all connections meanwhile. */
const POOL_SHARE_OF_A_PRODUCT = 1 / 3;
/** As long as the database lets one wait for a lock. */
const TWIN_WAIT_MS = 2000;

export const transactionService: ServiceDefinition<typeof settings> = {
  name: 'transaction',
  portKey: 'TRANSACTION_PORT',
  settings,
  tables: [
    'transactions',
    'product_logs',
    'transaction_status_changes',
    'idempotency_keys',
    'stock_movements',
    'products',
    'stores',
    'addresses',
  ],
  endpoints: ({ db, cache, metrics, config }) => {
    const { orders, statuses } = repositories(db);
    const inTransaction = <T>(work: (transaction: Repositories) => Promise<T>, deadline?: number): Promise<T> =>
      db.transaction((sql) => work(repositories(sql)), deadline);
    const perProduct = productBulkhead(Math.max(1, Math.floor(config.db.poolSize * POOL_SHARE_OF_A_PRODUCT)));
    return orderEndpoints({
      placeOrder: countedCheckout(
        placeOrder({ inTransaction, perProduct, inTurn: takingTurns(TWIN_WAIT_MS), cache }),
        metrics,
      ),
      listOrders: listOrders({ orders }),
      showOrder: showOrder({ orders, statuses }),
      changeStatus: countedCancelling(metrics).byPerson(changeStatus({ inTransaction, cache, orders, perProduct })),
    });
  },
  jobs: transactionJobs,
};
