import { overloaded } from '@shop/core/errors';

interface Limits {
  concurrency: number;
  /** Maximum number of queued calls. */
  waiting: number;
}

interface Waiter {
  start(): void;
  fail(error: Error): void;
}

/**
 * Limits concurrency and queues the rest: first in, first out within a group, round-robin between groups, so that one
 * busy group does not delay the others. When the queue is full, the newest call of the longest group fails with `overloaded`.
 */
export class FairQueue {
  /** The queued calls by group. The order of the keys is the round-robin order. */
  private readonly queues = new Map<string, Waiter[]>();
  private running = 0;
  private queued = 0;

  constructor(private readonly limits: Limits) {}

  async run<T>(work: () => Promise<T>, group = ''): Promise<T> {
    if (this.running < this.limits.concurrency) this.running += 1;
    else {
      await this.waitForTurn(group);
    }
    try {
      return await work();
    } finally {
      this.startNext();
    }
  }

  private waitForTurn(group: string): Promise<void> {
    return new Promise((start, fail) => {
      this.queued += 1;
      const queue = this.queues.get(group);
      if (queue) queue.push({ start, fail });
      else this.queues.set(group, [{ start, fail }]);
      if (this.queued > this.limits.waiting) this.rejectOne(group);
    });
  }

  /** @param newcomer the group of the newest call, which fails if no other group is longer */
  private rejectOne(newcomer: string): void {
    let longest = newcomer;
    for (const group of this.queues.keys()) {
      if (this.lengthOf(group) > this.lengthOf(longest)) longest = group;
    }
    this.queued -= 1;
    this.queues.get(longest)?.pop()?.fail(overloaded());
    if (this.lengthOf(longest) === 0) this.queues.delete(longest);
  }

  private lengthOf(group: string): number {
    return this.queues.get(group)?.length ?? 0;
  }

  private startNext(): void {
    for (const [group, [next, ...rest]] of this.queues) {
      // Reinsert the group at the end: the other groups come first.
      this.queues.delete(group);
      if (rest.length > 0) this.queues.set(group, rest);
      if (!next) continue;
      this.queued -= 1;
      next.start();
      return;
    }
    this.running -= 1;
  }
}
