import { errorCode } from '@shop/core/errors';
import type { Metrics } from '@shop/core/metrics';
import { insufficientStock } from '@shop/shop';
import {
  addressNotFound,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalChanged,
  totalTooLarge,
} from './orders.errors';

/** Exported as 0 from the start, so that the first refusal shows as an increase in the graphs. */
const reasons = [
  addressNotFound,
  insufficientStock,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalChanged,
  totalTooLarge,
];

export interface OrderMetrics {
  /** @param total in cents */
  countPlaced(total: bigint): void;
  /** A checkout that was refused or failed. */
  countRefused(error: unknown): void;
  countCancelled(by: 'person' | 'shop'): void;
}

export function createOrderMetrics(metrics: Metrics): OrderMetrics {
  const placed = metrics.counter({ name: 'orders_created_total', help: 'Orders placed', labelNames: [] });
  const value = metrics.histogram(
    'order_value',
    "Totals of the orders placed, in the shop's currency",
    [1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 25_000],
  );
  const refused = metrics.counter(
    { name: 'orders_refused_total', help: 'Checkouts refused or failed, by error code', labelNames: ['reason'] },
    reasons.map(({ code }) => ({ reason: code })),
  );
  const cancelled = metrics.counter(
    { name: 'orders_cancelled_total', help: 'Orders cancelled, by whom', labelNames: ['by'] },
    [{ by: 'person' }, { by: 'shop' }],
  );
  return {
    countPlaced(total) {
      placed.inc();
      value.observe(Number(total) / 100);
    },
    countRefused: (error) => refused.inc({ reason: errorCode(error) }),
    countCancelled: (by) => cancelled.inc({ by }),
  };
}
