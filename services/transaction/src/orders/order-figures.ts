import { errorCode, type Metrics } from '@shop/core';
import type { cancelUnpaid, changeStatus } from './change-status';
import {
  addressNotFound,
  insufficientStock,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalTooLarge,
} from './order.errors';
import type { placeOrder } from './place-order';

/** Known beforehand, so that the first refusal is an increase in the graphs. */
const reasons = [addressNotFound, insufficientStock, mixedStores, productNotFound, quantityTooLarge, totalTooLarge];

/** The checkout, counted: orders created with their value, and refused ones by the code of their refusal. */
export function countedCheckout(place: ReturnType<typeof placeOrder>, metrics: Metrics): ReturnType<typeof placeOrder> {
  const created = metrics.counter({ name: 'orders_created_total', help: 'Orders placed', labelNames: [] });
  const refused = metrics.counter(
    { name: 'orders_refused_total', help: 'Checkouts refused or failed, by error code', labelNames: ['reason'] },
    reasons.map(({ code }) => ({ reason: code })),
  );
  const value = metrics.histogram(
    'order_value',
    "Totals of the orders placed, in the shop's currency",
    [1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 25_000],
  );
  return async (...order) => {
    try {
      const placed = await place(...order);
      if (placed.total !== undefined) {
        created.inc();
        value.observe(Number(placed.total) / 100);
      }
      return placed;
    } catch (error) {
      refused.inc({ reason: errorCode(error) });
      throw error;
    }
  };
}

/** Counts cancelled orders: those that a person cancelled, and those that the shop did since nobody paid. */
export function countedCancelling(metrics: Metrics) {
  const cancelled = metrics.counter(
    { name: 'orders_cancelled_total', help: 'Orders cancelled, by whom', labelNames: ['by'] },
    [{ by: 'person' }, { by: 'shop' }],
  );
  return {
    byPerson:
      (change: ReturnType<typeof changeStatus>): ReturnType<typeof changeStatus> =>
      async (caller, id, to) => {
        await change(caller, id, to);
        if (to === 'cancelled') cancelled.inc({ by: 'person' });
      },
    byShop:
      (cancel: ReturnType<typeof cancelUnpaid>): ReturnType<typeof cancelUnpaid> =>
      async (id, wait) => {
        await cancel(id, wait);
        cancelled.inc({ by: 'shop' });
      },
  };
}
