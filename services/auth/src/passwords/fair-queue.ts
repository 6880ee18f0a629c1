import { overloaded } from '@shop/core/errors';

interface Limits {
  concurrency: number;
  /** Maximum number of queued calls. Further calls fail with `overloaded`. */
  waiting: number;
}

/**
 * Limits concurrency and queues the rest: first in, first out within a group, round-robin between groups, so that one
 * busy group does not delay the others.
 */
export class FairQueue {
  /** Resolvers of the queued calls by group. The order of the keys is the round-robin order. */
  private readonly queues = new Map<string, (() => void)[]>();
  private running = 0;
  private queued = 0;

  constructor(private readonly limits: Limits) {}

  async run<T>(work: () => Promise<T>, group = ''): Promise<T> {
    if (this.running < this.limits.concurrency) this.running += 1;
    else {
      if (this.queued >= this.limits.waiting) throw overloaded();
      await this.waitForTurn(group);
    }
    try {
      return await work();
    } finally {
      this.startNext();
    }
  }

  private waitForTurn(group: string): Promise<void> {
    return new Promise((resolve) => {
      this.queued += 1;
      const queue = this.queues.get(group);
      if (queue) queue.push(resolve);
      else this.queues.set(group, [resolve]);
    });
  }

  private startNext(): void {
    for (const [group, [start, ...rest]] of this.queues) {
      // Reinsert the group at the end: the other groups come first.
      this.queues.delete(group);
      if (rest.length > 0) this.queues.set(group, rest);
      if (!start) continue;
      this.queued -= 1;
      start();
      return;
    }
    this.running -= 1;
  }
}
