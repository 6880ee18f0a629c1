/**
 * Waits for `promise`, at most `ms` milliseconds. After the timeout it returns or throws what `onTimeout` does. The work behind
 * the promise continues.
 *
 * @example
 * const status = await withTimeout(fetchStatus(), 200, () => 'unknown');
 */
export async function withTimeout<T, L>(promise: Promise<T>, ms: number, onTimeout: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(1, ms));
  });
  try {
    return await Promise.race([promise, timeout.then(onTimeout)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `promise` until the deadline (ms since the epoch), then throws the error from `onTimeout`. */
export async function beforeDeadline<T>(deadline: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  return await withTimeout(promise, deadline - Date.now(), () => {
    throw onTimeout();
  });
}
