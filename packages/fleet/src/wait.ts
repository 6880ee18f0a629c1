import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { FleetError } from './errors';

export interface UntilOptions {
  timeoutMs: number;
  everyMs?: number;
  /** Completes "gave up waiting for …". */
  what: string;
}

/** Asks again and again until `condition` holds. Nothing here sleeps for a fixed time and hopes. */
export async function until(condition: () => boolean | Promise<boolean>, options: UntilOptions): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new FleetError(`gave up waiting for ${options.what} after ${options.timeoutMs / 1000} s`);
    }
    await pause(options.everyMs ?? 50);
  }
}

/**
 * The status of one GET, undefined when there is no answer. Not `fetch`: its kept-alive connections would stand in the
 * way of a server that is shutting down.
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
