import { databaseBusy } from '@shop/core/errors';

interface Waiter {
  productIds: number[];
  start(): void;
}

interface Slots {
  running: number;
  waiters: Set<Waiter>;
}

/** Time reserved for the work itself once it may start: one lock wait and its statements. */
export const WORK_MS = 1200;

export interface ProductBulkhead {
  /** Waits until `work` may start. Fails with `database_busy` at the deadline (ms since the epoch). */
  run<T>(productIds: number[], deadline: number, work: () => Promise<T>): Promise<T>;
}

/**
 * Limits the concurrent work per product; the rest waits in order of arrival, before it takes a database connection. So a
 * product whose row is locked cannot occupy the whole connection pool. Work for several products starts when each of them
 * has a free slot. It never holds one slot while it waits for another, so baskets cannot deadlock here.
 */
export function createProductBulkhead(concurrency: number): ProductBulkhead {
  const slotsByProduct = new Map<number, Slots>();

  function slotsOf(id: number): Slots {
    const slots = slotsByProduct.get(id) ?? { running: 0, waiters: new Set() };
    slotsByProduct.set(id, slots);
    return slots;
  }

  function tryAcquire(ids: number[]): boolean {
    if (ids.some((id) => (slotsByProduct.get(id)?.running ?? 0) >= concurrency)) return false;
    for (const id of ids) slotsOf(id).running += 1;
    return true;
  }

  function forgetUnused(id: number): void {
    const { running, waiters } = slotsOf(id);
    if (running === 0 && waiters.size === 0) slotsByProduct.delete(id);
  }

  function stopWaiting(waiter: Waiter): void {
    for (const id of waiter.productIds) slotsOf(id).waiters.delete(waiter);
  }

  function release(ids: number[]): void {
    for (const id of ids) slotsOf(id).running -= 1;
    for (const id of ids) {
      for (const waiter of slotsOf(id).waiters) {
        if (slotsOf(id).running >= concurrency) break;
        if (!tryAcquire(waiter.productIds)) continue;
        stopWaiting(waiter);
        waiter.start();
      }
      forgetUnused(id);
    }
  }

  function waitForSlots(productIds: number[], deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        productIds,
        start() {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        stopWaiting(waiter);
        for (const id of productIds) forgetUnused(id);
        reject(databaseBusy());
      }, deadline - Date.now());
      for (const id of productIds) slotsOf(id).waiters.add(waiter);
    });
  }

  async function run<T>(productIds: number[], deadline: number, work: () => Promise<T>): Promise<T> {
    if (!tryAcquire(productIds)) await waitForSlots(productIds, deadline);
    try {
      return await work();
    } finally {
      release(productIds);
    }
  }

  return { run };
}
