import { overloaded } from '@shop/core';

interface Bounds {
  atOnce: number;
  /** Beyond `atOnce`; one more is refused. */
  waiting: number;
}

/** @param group whose work it is; groups take turns */
export type BoundedWork = <T>(work: () => Promise<T>, group?: string) => Promise<T>;

/**
 * Runs a few at once and lets some wait: in the order in which they came within a group, and one group after the other, so
 * that a group with much work does not delay the others.
 * @throws AppError `overloaded` where too many wait already
 */
export function boundedWork({ atOnce, waiting }: Bounds): BoundedWork {
  /** Starters by group. The order of the keys is the order of the turns. */
  const queues = new Map<string, (() => void)[]>();
  let running = 0;
  let queued = 0;

  const waitForTurn = (group: string): Promise<void> =>
    new Promise((resolve) => {
      queued += 1;
      const queue = queues.get(group);
      if (queue) queue.push(resolve);
      else queues.set(group, [resolve]);
    });

  function startNext(): void {
    for (const [group, [start, ...rest]] of queues) {
      // Re-inserted at the end: the other groups come first.
      queues.delete(group);
      if (rest.length > 0) queues.set(group, rest);
      if (!start) continue;
      queued -= 1;
      start();
      return;
    }
    running -= 1;
  }

  return async (work, group = '') => {
    if (running < atOnce) running += 1;
    else {
      if (queued >= waiting) throw overloaded();
      await waitForTurn(group);
    }
    try {
      return await work();
    } finally {
      startNext();
    }
  };
}
