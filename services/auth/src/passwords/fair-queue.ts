import { overloaded } from '@shop/core/errors';

interface Limits {
  concurrency: number;
  /** Calls that wait beyond those that run. One more is refused as `overloaded`. */
  waiting: number;
}

export interface FairQueue {
  /** @param group whose work it is; groups take turns */
  run<T>(work: () => Promise<T>, group?: string): Promise<T>;
}

/**
 * Runs a few calls at once and lets some wait: first come, first served within a group, and one group after the other, so
 * that a group with much work does not delay the others.
 */
export function createFairQueue({ concurrency, waiting }: Limits): FairQueue {
  /** Starters by group. The order of the keys is the order of the turns. */
  const queues = new Map<string, (() => void)[]>();
  let running = 0;
  let queued = 0;

  function waitForTurn(group: string): Promise<void> {
    return new Promise((resolve) => {
      queued += 1;
      const queue = queues.get(group);
      if (queue) queue.push(resolve);
      else queues.set(group, [resolve]);
    });
  }

  function startNext(): void {
    for (const [group, [start, ...rest]] of queues) {
      // Inserted again at the end: the other groups come first.
      queues.delete(group);
      if (rest.length > 0) queues.set(group, rest);
      if (!start) continue;
      queued -= 1;
      start();
      return;
    }
    running -= 1;
  }

  async function run<T>(work: () => Promise<T>, group = ''): Promise<T> {
    if (running < concurrency) running += 1;
    else {
      if (queued >= waiting) throw overloaded();
      await waitForTurn(group);
    }
    try {
      return await work();
    } finally {
      startNext();
    }
  }

  return { run };
}
