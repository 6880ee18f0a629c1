import { until } from '@shop/fleet';

/**
 * Asks until `condition` holds. The end is far away, and only for what never comes: on a busy machine a test takes longer,
 * and does not fail.
 */
export const eventually = (what: string, condition: () => unknown): Promise<void> =>
  until(async () => Boolean(await condition()), { timeoutMs: 120_000, everyMs: 10, what });
