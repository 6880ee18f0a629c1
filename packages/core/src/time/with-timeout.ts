/**
 * Waits for `promise`, at most `ms` milliseconds. After the timeout it returns or throws what `onTimeout` does. The work behind
 * the promise continues.
 *
 * @example
 * const status = await withTimeout(fetchStatus(), 200, () => 'unknown');
 */
export async function withTimeout<T, L>(promise: Promise<T>, ms: number, onTimeout: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const first = new Promise<T | L>((resolve, reject) => {
    timer = setTimeout(
      function stopWaiting() {
        try {
          resolve(onTimeout());
        } catch (error) {
          reject(error);
        }
      },
      Math.max(1, ms),
    );
    promise.then(resolve, reject);
  });
  try {
    return await first;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `promise` until the deadline (ms since the epoch), then throws the error from `onTimeout`. */
export function beforeDeadline<T>(deadline: number, promise: Promise<T>, onTimeout: () => Error): Promise<T> {
  return withTimeout(promise, deadline - Date.now(), () => {
    throw onTimeout();
  });
}
