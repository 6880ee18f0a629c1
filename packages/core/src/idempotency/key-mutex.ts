import { databaseBusy } from '../errors';
import { beforeDeadline } from '../time';

/**
 * A mutex per key within this process. Without it, attempts with the same idempotency key would wait in the database, each
 * holding a connection, and would deadlock on InnoDB's gap lock when the first one rolls back. A call that waits longer than
 * `waitMs` fails with `database_busy`.
 */
export class KeyMutex {
  /** By key: resolves when all calls queued so far are done. */
  private readonly queues = new Map<string, Promise<void>>();

  constructor(private readonly waitMs: number) {}

  /** Runs calls with the same key one at a time, in order of arrival. Without a key, runs `work` immediately. */
  async runExclusive<T>(key: string | undefined, work: () => Promise<T>): Promise<T> {
    if (key === undefined) return await work();
    const before = this.queues.get(key);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const queue = Promise.all([before, released]).then(() => {
      if (this.queues.get(key) === queue) this.queues.delete(key);
    });
    this.queues.set(key, queue);
    try {
      if (before) await beforeDeadline(Date.now() + this.waitMs, before, databaseBusy);
      return await work();
    } finally {
      release();
    }
  }
}
