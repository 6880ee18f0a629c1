import { errorCode, type Logger, type Metrics } from '@shop/core';
import type { cancelUnpaid } from './change-status';
import { isInvalidTransition } from './order-status';
import type { StatusRepository, UnpaidOrder } from './status.repository';

interface Parts {
  statuses: Pick<StatusRepository, 'listUnpaid'>;
  cancel: ReturnType<typeof cancelUnpaid>;
  ttlMinutes: number;
  logger: Logger;
  metrics: Metrics;
  now?: () => number;
}

const ORDERS_AT_ONCE = 100;
/** How many orders one run waits for, where others hold their locks. */
const LOCKS_WAITED_FOR = 3;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** Without the database no order can be cancelled: the run ends instead of failing for each. */
const isDatabaseAway = (error: unknown): boolean =>
  ['database_unavailable', 'schema_missing'].includes(errorCode(error));
const isBusy = (error: unknown): boolean => errorCode(error) === 'database_busy';

/**
 * Cancels orders that stayed `pending` longer than the TTL, which puts their stock back. Each order is on its own: one that
 * cannot be cancelled is logged, counted and tried again after a pause, which doubles each time. Replicas may run this at
 * the same time: the second finds the order cancelled.
 * @returns how many this run cancelled
 */
export function cancelUnpaidOrders({ statuses, cancel, ttlMinutes, logger, metrics, now = Date.now }: Parts) {
  const failures = metrics.counter(
    {
      name: 'unpaid_order_cancel_failures_total',
      help: 'Unpaid orders that could not be cancelled and are tried again later, by error code',
      labelNames: ['reason'],
    },
    [{ reason: 'database_busy' }, { reason: 'out_of_range' }, { reason: 'internal_error' }],
  );
  const postponed = new Map<number, { failures: number; until: number }>();

  function postpone(id: number, error: unknown): void {
    const count = (postponed.get(id)?.failures ?? 0) + 1;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - 1));
    postponed.set(id, { failures: count, until: now() + pause });
    failures.inc({ reason: errorCode(error) });
    logger.warn(
      { transaction_id: id, failures: count, retry_in_seconds: pause / 1000, err: error },
      'unpaid order could not be cancelled, will try again',
    );
  }

  /** @returns whether this call cancelled it */
  async function cancelOne(id: number, locks: 'wait' | 'nowait'): Promise<boolean> {
    try {
      await cancel(id, locks);
      logger.info({ transaction_id: id }, 'cancelled: not paid in time');
    } catch (error) {
      if (!isInvalidTransition(error)) throw error;
      postponed.delete(id);
      return false;
    }
    postponed.delete(id);
    return true;
  }

  return async (stopping?: AbortSignal): Promise<number> => {
    const started = now();
    let cancelled = 0;
    const attempt = async (id: number, locks: 'wait' | 'nowait', onBusy: (error: unknown) => void) => {
      try {
        if (await cancelOne(id, locks)) cancelled += 1;
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        if (isBusy(error)) onBusy(error);
        else postpone(id, error);
      }
    };
    // Without waiting for locks first: a hundred orders of one locked product must not hold up those of other products.
    const busy: number[] = [];
    let last: UnpaidOrder | undefined;
    do {
      const page = await statuses.listUnpaid(ttlMinutes, ORDERS_AT_ONCE, last);
      for (const { id } of page) {
        if (stopping?.aborted) return cancelled;
        if ((postponed.get(id)?.until ?? 0) <= started) await attempt(id, 'nowait', () => busy.push(id));
      }
      last = page.length < ORDERS_AT_ONCE ? undefined : page.at(-1);
    } while (last);
    for (const [index, id] of busy.entries()) {
      if (stopping?.aborted) return cancelled;
      await attempt(id, index < LOCKS_WAITED_FOR ? 'wait' : 'nowait', (error) => postpone(id, error));
    }
    // What has been due and was not listed has been paid or cancelled by others.
    for (const [id, { until }] of postponed) if (until <= started) postponed.delete(id);
    return cancelled;
  };
}
