import { until } from '@shop/test-servers';

/**
 * Polls until `condition` holds. The timeout is long, so that a test on a busy machine takes longer instead of failing.
 */
export const eventually = (what: string, condition: () => unknown): Promise<void> =>
  until(async () => Boolean(await condition()), { timeoutMs: 120_000, everyMs: 10, what });
