import { databaseBusy } from '@shop/core/errors';
import { beforeDeadline } from '@shop/core/time';

export interface KeyMutex {
  /** Runs calls with the same key one at a time, in order of arrival. Without a key, runs `work` immediately. */
  runExclusive<T>(key: string | undefined, work: () => Promise<T>): Promise<T>;
}

/**
 * A mutex per key within this process. Without it, attempts with the same idempotency key would wait in the database, each
 * holding a connection, and would deadlock on InnoDB's gap lock when the first one rolls back. A call that waits longer than
 * `waitMs` fails with `database_busy`.
 */
export function createKeyMutex(waitMs: number): KeyMutex {
  /** By key: resolves when all calls queued so far are done. */
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
