import type { LockWait } from '@shop/core/db';
import { errorCode } from '@shop/core/errors';
import type { Metrics } from '@shop/core/metrics';
import type { TransactionContext } from '../service';
import { cancelUnpaid } from './change-status';
import { isInvalidTransition } from './order-status';
import { listUnpaidOrders, type UnpaidOrder } from './statuses.sql';

const ORDERS_AT_ONCE = 100;
/** How many orders one run waits for, where others hold their locks. */
const LOCKS_WAITED_FOR = 3;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** Which orders are due, and which of them could not be cancelled: what one run of the job leaves to the next. */
export interface UnpaidOrders {
  ttlMinutes: number;
  postponed: Map<number, { failures: number; until: number }>;
  countFailure(error: unknown): void;
  now(): number;
}

export function createUnpaidOrders(metrics: Metrics, ttlMinutes: number, now = Date.now): UnpaidOrders {
  const failures = metrics.counter(
    {
      name: 'unpaid_order_cancel_failures_total',
      help: 'Unpaid orders that could not be cancelled and are tried again later, by error code',
      labelNames: ['reason'],
    },
    [{ reason: 'database_busy' }, { reason: 'out_of_range' }, { reason: 'internal_error' }],
  );
  return { ttlMinutes, postponed: new Map(), countFailure: (error) => failures.inc({ reason: errorCode(error) }), now };
}

type Context = Pick<TransactionContext, 'db' | 'cache' | 'logger' | 'orderMetrics'>;

/**
 * Cancels orders that stayed `pending` longer than the TTL, which puts their stock back. Each order is on its own: one that
 * cannot be cancelled is logged, counted and tried again after a pause, which doubles each time. Replicas may run this at
 * the same time: the second one finds the order cancelled.
 */
export async function cancelUnpaidOrders(ctx: Context, unpaid: UnpaidOrders, stopping?: AbortSignal): Promise<void> {
  const { postponed } = unpaid;
  const started = unpaid.now();
  // Without waiting for locks first: a hundred orders of one locked product must not hold up those of other products.
  const busy: number[] = [];
  let last: UnpaidOrder | undefined;
  do {
    const page = await listUnpaidOrders(ctx.db, unpaid.ttlMinutes, ORDERS_AT_ONCE, last);
    for (const { id } of page) {
      if (stopping?.aborted) return;
      if ((postponed.get(id)?.until ?? 0) <= started)
        await cancelOrPostpone(ctx, unpaid, id, 'nowait', () => busy.push(id));
    }
    last = page.length < ORDERS_AT_ONCE ? undefined : page.at(-1);
  } while (last);
  for (const [index, id] of busy.entries()) {
    if (stopping?.aborted) return;
    const wait = index < LOCKS_WAITED_FOR ? 'wait' : 'nowait';
    await cancelOrPostpone(ctx, unpaid, id, wait, (error) => postpone(ctx, unpaid, id, error));
  }
  // An order that was due and not listed has been paid or cancelled by others.
  for (const [id, { until }] of postponed) if (until <= started) postponed.delete(id);
}

/** Without the database no order can be cancelled: the run ends instead of failing for each. */
const isDatabaseAway = (error: unknown): boolean =>
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
    // Others were faster.
    if (isInvalidTransition(error)) unpaid.postponed.delete(id);
    else if (isDatabaseAway(error)) throw error;
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
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  postponed.set(id, { failures, until: now() + pause });
  countFailure(error);
  logger.warn(
    { transaction_id: id, failures, retry_in_seconds: pause / 1000, err: error },
    'unpaid order could not be cancelled, will try again',
  );
}
