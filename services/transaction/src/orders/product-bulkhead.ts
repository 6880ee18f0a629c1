import { databaseBusy } from '@shop/core/errors';

interface Waiter {
  productIds: number[];
  enter(): void;
}

interface Entrance {
  running: number;
  waiters: Set<Waiter>;
}

/** What work needs before its deadline once it may start: one wait for a lock, and its statements. */
export const WORK_MS = 1200;

export interface ProductBulkhead {
  /** Waits until `work` may start; refuses it with `database_busy` at the deadline (ms since the epoch). */
  run<T>(productIds: number[], deadline: number, work: () => Promise<T>): Promise<T>;
}

/**
 * Runs at most `atOnce` pieces of work for any one product; the rest wait in order of arrival, before they take a database
 * connection. So a product whose row is locked cannot occupy the whole pool. Work for several products starts when all of
 * them have room: it never holds one place while it waits for another, so baskets cannot deadlock here.
 */
export function createProductBulkhead(atOnce: number): ProductBulkhead {
  const entrances = new Map<number, Entrance>();

  function entranceOf(id: number): Entrance {
    const entrance = entrances.get(id) ?? { running: 0, waiters: new Set() };
    entrances.set(id, entrance);
    return entrance;
  }

  function tryEnter(ids: number[]): boolean {
    if (ids.some((id) => (entrances.get(id)?.running ?? 0) >= atOnce)) return false;
    for (const id of ids) entranceOf(id).running += 1;
    return true;
  }

  function forgetUnused(id: number): void {
    const { running, waiters } = entranceOf(id);
    if (running === 0 && waiters.size === 0) entrances.delete(id);
  }

  function stopWaiting(waiter: Waiter): void {
    for (const id of waiter.productIds) entranceOf(id).waiters.delete(waiter);
  }

  function leave(ids: number[]): void {
    for (const id of ids) entranceOf(id).running -= 1;
    for (const id of ids) {
      for (const waiter of entranceOf(id).waiters) {
        if (entranceOf(id).running >= atOnce) break;
        if (!tryEnter(waiter.productIds)) continue;
        stopWaiting(waiter);
        waiter.enter();
      }
      forgetUnused(id);
    }
  }

  function waitToEnter(productIds: number[], deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        productIds,
        enter() {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        stopWaiting(waiter);
        for (const id of productIds) forgetUnused(id);
        reject(databaseBusy());
      }, deadline - Date.now());
      for (const id of productIds) entranceOf(id).waiters.add(waiter);
    });
  }

  async function run<T>(productIds: number[], deadline: number, work: () => Promise<T>): Promise<T> {
    if (!tryEnter(productIds)) await waitToEnter(productIds, deadline);
    try {
      return await work();
    } finally {
      leave(productIds);
    }
  }

  return { run };
}
