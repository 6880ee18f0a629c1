import { overloaded } from '@shop/core';

interface Bounds {
  atOnce: number;
  /** Beyond `atOnce`; one more is refused. */
  waiting: number;
}

export type BoundedWork = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Runs a few at once and lets some wait, in the order in which they came.
 * @throws AppError `overloaded` where too many wait already
 */
export function boundedWork({ atOnce, waiting }: Bounds): BoundedWork {
  const queue: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < atOnce) running += 1;
    else {
      if (queue.length >= waiting) throw overloaded();
      // Whoever finishes hands its place over.
      await new Promise<void>((resolve) => queue.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
