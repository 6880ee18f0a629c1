import { overloaded } from '@shop/core/errors';

interface Limits {
  concurrency: number;
  /** Maximum number of queued calls. Further calls fail with `overloaded`. */
  waiting: number;
}

export interface FairQueue {
  /** @param group groups are served in turn (round-robin) */
  run<T>(work: () => Promise<T>, group?: string): Promise<T>;
}

/**
 * Limits concurrency and queues the rest: first in, first out within a group, round-robin between groups, so that one
 * busy group does not delay the others.
 */
export function createFairQueue({ concurrency, waiting }: Limits): FairQueue {
  /** Resolvers of the queued calls by group. The order of the keys is the round-robin order. */
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
      // Reinsert the group at the end: the other groups come first.
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
