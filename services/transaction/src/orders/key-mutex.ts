import { databaseBusy } from '@shop/core/errors';
import { beforeDeadline } from '@shop/core/time';

export interface KeyMutex {
  /** Runs `work` alone among those with the same key, in order of arrival. Without a key it runs at once. */
  runExclusive<T>(key: string | undefined, work: () => Promise<T>): Promise<T>;
}

/**
 * A mutex per key, in this process. Attempts with the same idempotency key would wait in the database anyway, each with a
 * connection of its own; and where the first one rolls back, InnoDB lets the others deadlock over the gap that it leaves.
 * Who waits longer than `waitMs` is refused with `database_busy`.
 */
export function createKeyMutex(waitMs: number): KeyMutex {
  /** By key: settles once everybody who has come so far is done. */
  const queues = new Map<string, Promise<void>>();

  async function runExclusive<T>(key: string | undefined, work: () => Promise<T>): Promise<T> {
    if (key === undefined) return await work();
    const before = queues.get(key);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const queue = Promise.all([before, released]).then(() => {
      if (queues.get(key) === queue) queues.delete(key);
    });
    queues.set(key, queue);
    try {
      if (before) await beforeDeadline(Date.now() + waitMs, before, databaseBusy);
      return await work();
    } finally {
      release();
    }
  }

  return { runExclusive };
}
