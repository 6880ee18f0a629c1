import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError } from './errors';

export interface UntilOptions {
  timeoutMs: number;
  everyMs?: number;
  /** Completes "gave up waiting for …". */
  what: string;
}

/** Polls until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>, options: UntilOptions): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new OperatorError(`gave up waiting for ${options.what} after ${options.timeoutMs / 1000} s`);
    }
    await pause(options.everyMs ?? 50);
  }
}

/**
 * The status of a GET request, undefined without a response. Does not use `fetch`, because its keep-alive connections delay a
 * server that is shutting down.
 */
export function httpStatus(url: string, timeoutMs = 2000): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = http.get(url, { agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}
