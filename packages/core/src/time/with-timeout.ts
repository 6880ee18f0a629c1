/**
 * `promise`, or what `late` returns or throws once `ms` have passed. What the promise stands for goes on.
 *
 * @example
 * const status = await withTimeout(ask(), 200, () => 'unknown');
 */
export async function withTimeout<T, L>(promise: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(1, ms));
  });
  try {
    return await Promise.race([promise, passed.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** `promise`, or the error that `late` gives once the deadline (ms since the epoch) has passed. */
export async function beforeDeadline<T>(deadline: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return await withTimeout(promise, deadline - Date.now(), () => {
    throw late();
  });
}
