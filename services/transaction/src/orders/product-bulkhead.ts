import { databaseBusy, overloaded } from '@shop/core/errors';

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

/** About as many as can start before their deadline. */
const MAX_WAITING = 500;

/**
 * Limits the concurrent work per product; the rest waits in order of arrival, before it takes a database connection. So a
 * product whose row is locked cannot occupy the whole connection pool. Work for several products starts when each of them
 * has a free slot. It never holds one slot while it waits for another, so baskets cannot deadlock here.
 */
export class ProductBulkhead {
  private readonly slotsByProduct = new Map<number, Slots>();

  constructor(private readonly concurrency: number) {}

  /**
   * Waits until `work` may start. Fails with `database_busy` at the deadline (ms since the epoch), and with `overloaded` at once if
   * too much work waits.
   */
  async run<T>(productIds: number[], deadline: number, work: () => Promise<T>): Promise<T> {
    if (!this.tryAcquire(productIds)) await this.waitForSlots(productIds, deadline);
    try {
      return await work();
    } finally {
      this.release(productIds);
    }
  }

  private slotsOf(id: number): Slots {
    const slots = this.slotsByProduct.get(id) ?? { running: 0, waiters: new Set() };
    this.slotsByProduct.set(id, slots);
    return slots;
  }

  private tryAcquire(ids: number[]): boolean {
    if (ids.some((id) => (this.slotsByProduct.get(id)?.running ?? 0) >= this.concurrency)) return false;
    for (const id of ids) this.slotsOf(id).running += 1;
    return true;
  }

  private forgetUnused(id: number): void {
    const { running, waiters } = this.slotsOf(id);
    if (running === 0 && waiters.size === 0) this.slotsByProduct.delete(id);
  }

  private stopWaiting(waiter: Waiter): void {
    for (const id of waiter.productIds) this.slotsOf(id).waiters.delete(waiter);
  }

  private release(ids: number[]): void {
    for (const id of ids) this.slotsOf(id).running -= 1;
    for (const id of ids) {
      for (const waiter of this.slotsOf(id).waiters) {
        if (this.slotsOf(id).running >= this.concurrency) break;
        if (!this.tryAcquire(waiter.productIds)) continue;
        this.stopWaiting(waiter);
        waiter.start();
      }
      this.forgetUnused(id);
    }
  }

  private async waitForSlots(productIds: number[], deadline: number): Promise<void> {
    if (productIds.some((id) => (this.slotsByProduct.get(id)?.waiters.size ?? 0) >= MAX_WAITING)) throw overloaded();
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        productIds,
        start() {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.stopWaiting(waiter);
        for (const id of productIds) this.forgetUnused(id);
        reject(databaseBusy());
      }, deadline - Date.now());
      for (const id of productIds) this.slotsOf(id).waiters.add(waiter);
    });
  }
}
