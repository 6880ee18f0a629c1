/**
 * What is usually there at once. `x instanceof Promise ? await x : x` spares a request the wait for the next turn, which is
 * worth it where every request passes.
 */
export type MaybePromise<T> = T | Promise<T>;
