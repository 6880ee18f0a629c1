import type { LockWait } from '@shop/core/db';
import { errorCode } from '@shop/core/errors';
import type { Metrics } from '@shop/core/metrics';
import type { TransactionContext } from '../service';
import { cancelUnpaid } from './change-status';
import { isInvalidTransition } from './order-status';
import { listUnpaidOrders, type UnpaidOrder } from './statuses.sql';

const ORDERS_PER_PAGE = 100;
/** How many locked orders one run waits for. */
const MAX_LOCK_WAITS = 3;
const FIRST_BACKOFF_MS = 60_000;
const MAX_BACKOFF_MS = 10 * 60_000;

/** What one run of the job passes on to the next: which orders could not be cancelled, and when to retry them. */
interface UnpaidOrders {
  ttlMinutes: number;
  postponed: Map<number, { failures: number; until: number }>;
  countFailure(error: unknown): void;
  now(): number;
}

export function createUnpaidOrders(metrics: Metrics, ttlMinutes: number, now = Date.now): UnpaidOrders {
  const failures = metrics.counter(
    {
      name: 'unpaid_order_cancel_failures_total',
      help: 'Failed attempts to cancel an unpaid order, by error code. Each order is retried later',
      labelNames: ['reason'],
    },
    [{ reason: 'database_busy' }, { reason: 'out_of_range' }, { reason: 'internal_error' }],
  );
  return { ttlMinutes, postponed: new Map(), countFailure: (error) => failures.inc({ reason: errorCode(error) }), now };
}

type Context = Pick<TransactionContext, 'db' | 'cache' | 'logger' | 'orderMetrics'>;

/**
 * Cancels orders that stay `pending` longer than the TTL and restocks them. Each order is independent: a failed
 * cancellation is logged, counted and retried with exponential backoff. Replicas may run this concurrently: the second one
 * finds the order already cancelled.
 */
export async function cancelUnpaidOrders(ctx: Context, unpaid: UnpaidOrders, stopping?: AbortSignal): Promise<void> {
  const { postponed } = unpaid;
  const started = unpaid.now();
  // First without waiting for locks: a hundred orders of one locked product must not delay those of other products.
  const busy: number[] = [];
  let last: UnpaidOrder | undefined;
  do {
    const page = await listUnpaidOrders(ctx.db, unpaid.ttlMinutes, ORDERS_PER_PAGE, last);
    for (const { id } of page) {
      if (stopping?.aborted) return;
      if ((postponed.get(id)?.until ?? 0) <= started)
        await cancelOrPostpone(ctx, unpaid, id, 'nowait', () => busy.push(id));
    }
    last = page.length < ORDERS_PER_PAGE ? undefined : page.at(-1);
  } while (last);
  for (const [index, id] of busy.entries()) {
    if (stopping?.aborted) return;
    const wait = index < MAX_LOCK_WAITS ? 'wait' : 'nowait';
    await cancelOrPostpone(ctx, unpaid, id, wait, (error) => postpone(ctx, unpaid, id, error));
  }
  // A due order that was not listed has been paid or cancelled in the meantime.
  for (const [id, { until }] of postponed) if (until <= started) postponed.delete(id);
}

/** Without the database no order can be cancelled: the run stops instead of failing for each order. */
const isDatabaseUnavailable = (error: unknown): boolean =>
  ['database_unavailable', 'schema_missing'].includes(errorCode(error));
const isBusy = (error: unknown): boolean => errorCode(error) === 'database_busy';

async function cancelOrPostpone(
  ctx: Context,
  unpaid: UnpaidOrders,
  id: number,
  wait: LockWait,
  onBusy: (error: unknown) => void,
): Promise<void> {
  try {
    await cancelUnpaid(ctx, id, wait);
    ctx.logger.info({ transaction_id: id }, 'order cancelled: not paid in time');
    unpaid.postponed.delete(id);
  } catch (error) {
    // Already paid or cancelled by someone else.
    if (isInvalidTransition(error)) unpaid.postponed.delete(id);
    else if (isDatabaseUnavailable(error)) throw error;
    else if (isBusy(error)) onBusy(error);
    else postpone(ctx, unpaid, id, error);
  }
}

function postpone(
  { logger }: Context,
  { postponed, countFailure, now }: UnpaidOrders,
  id: number,
  error: unknown,
): void {
  const failures = (postponed.get(id)?.failures ?? 0) + 1;
  const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
  postponed.set(id, { failures, until: now() + backoff });
  countFailure(error);
  logger.warn(
    { transaction_id: id, failures, retry_in_seconds: backoff / 1000, err: error },
    'could not cancel unpaid order, will retry',
  );
}
