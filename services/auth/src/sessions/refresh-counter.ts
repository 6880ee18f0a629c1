import type { Metrics } from '@shop/core/metrics';

const outcomes = ['rotated', 'rotated_again', 'refused', 'reused'] as const;
export type RefreshOutcome = (typeof outcomes)[number];

/** Counts refreshes. */
export interface RefreshCounter {
  inc(outcome: RefreshOutcome): void;
}

export function createRefreshCounter(metrics: Metrics): RefreshCounter {
  const refreshes = metrics.counter(
    {
      name: 'session_refreshes_total',
      help: 'Refreshes by outcome: rotated; rotated_again (within the grace period); refused; reused (ended the session, a token may be stolen)',
      labelNames: ['outcome'],
    },
    outcomes.map((outcome) => ({ outcome })),
  );
  return { inc: (outcome) => refreshes.inc({ outcome }) };
}
