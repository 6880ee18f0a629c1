import { beforeDeadline, databaseBusy } from '@shop/core';

export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Runs what has the same key one after the other in this process. Twins would wait in the database anyway, each with a
 * connection of its own; and where the first one rolls back, InnoDB lets the others deadlock about the gap that it leaves.
 * @throws AppError `database_busy` where one's turn does not come within `waitMs`
 */
export function takingTurns(waitMs: number): InTurn {
  /** By key: settled when all who have come so far are done. */
  const lines = new Map<string, Promise<void>>();
  return async (key, work) => {
    const before = lines.get(key);
    let leave = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const line = Promise.all([before, done]).then(() => {
      if (lines.get(key) === line) lines.delete(key);
    });
    lines.set(key, line);
    try {
      if (before) await beforeDeadline(Date.now() + waitMs, before, databaseBusy);
      return await work();
    } finally {
      leave();
    }
  };
}
