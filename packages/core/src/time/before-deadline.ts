/** `answer`, or the error that `late` gives once the deadline (ms since the epoch) has passed. */
export async function beforeDeadline<T>(deadline: number, answer: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), Math.max(1, deadline - Date.now()));
    timer.unref();
  });
  try {
    return await Promise.race([answer, passed]);
  } finally {
    clearTimeout(timer);
  }
}
