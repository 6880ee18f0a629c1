import { setting } from '@shop/core/config';
import type { Resources, ServiceDefinition } from '@shop/core/service';
import { inShop } from '@shop/shop';
import { z } from 'zod';
import { transactionJobs } from './jobs';
import { createOrderMetrics, type OrderMetrics } from './orders/order-metrics';
import { orderEndpoints } from './orders/orders.endpoints';
import { ProductBulkhead } from './orders/product-bulkhead';

const MINUTES_PER_YEAR = 525_600;

// For the drill of a restore.
export { countFaults, verifyStock } from './ledger/verify-stock';

export const settings = z.object({
  /** 0: unpaid orders are never cancelled. */
  PENDING_ORDER_TTL_MINUTES: setting.integer(0, MINUTES_PER_YEAR).default(0),
  /** true: users whose email address is not verified cannot order. */
  REQUIRE_VERIFIED_EMAIL: setting.flag.default(false),
});

export type TransactionSettings = z.output<typeof settings>;

/** Dependencies of this service's use cases. */
export interface TransactionContext extends Resources {
  /** Limits concurrent checkouts and cancellations of the same product. */
  productBulkhead: ProductBulkhead;
  orderMetrics: OrderMetrics;
  requiresVerifiedEmail: boolean;
}

/** Checkouts and cancellations of one product wait for the same lock. They must not occupy all connections meanwhile. */
const MAX_POOL_SHARE_PER_PRODUCT = 1 / 3;

export const transactionService: ServiceDefinition<typeof settings, TransactionContext> = {
  ...inShop('transaction'),
  settings,
  createContext: (resources, { REQUIRE_VERIFIED_EMAIL }) => ({
    ...resources,
    productBulkhead: new ProductBulkhead(
      Math.max(1, Math.floor(resources.config.db.poolSize * MAX_POOL_SHARE_PER_PRODUCT)),
    ),
    orderMetrics: createOrderMetrics(resources.metrics),
    requiresVerifiedEmail: REQUIRE_VERIFIED_EMAIL,
  }),
  endpoints: orderEndpoints,
  jobs: transactionJobs,
};
