import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { ConcurrencyLimit } from './concurrency-limit';

const TICK_MS = 50;
const LOG_INTERVAL_MS = 1000;

interface AdmissionDeps {
  logger: Logger;
  metrics: Metrics;
  /** How long requests wait for a connection to the database at the moment. */
  databaseWaitMs: () => number;
}

export interface Admission {
  /**
   * @param group requests that are limited together
   * @returns false if the request must be refused. Otherwise call `leave` at its end.
   */
  tryEnter(group: string): boolean;
  /** @param isServed whether the service did what was asked for, or found a fault in the request */
  leave(group: string, isServed: boolean): void;
}

/**
 * Refuses requests while the event loop is late or requests wait for the database, and more of their group arrive than are
 * completed. See docs/decisions/0050-overload.md.
 */
export function createAdmission({ logger, metrics, databaseWaitMs }: AdmissionDeps): Admission {
  const shed = metrics.counter(
    {
      name: 'http_requests_shed_total',
      help: 'Requests refused at once with 503 overloaded, by what was busy: the event loop or the database',
      labelNames: ['reason'],
    },
    [{ reason: 'event_loop' }, { reason: 'database' }],
  );
  const limits = new Map<string, ConcurrencyLimit>();
  let timer: NodeJS.Timeout | undefined;
  let reason = 'event_loop';
  /** Not logged yet. */
  let refused = 0;

  function limitOf(group: string): ConcurrencyLimit {
    const limit = limits.get(group) ?? new ConcurrencyLimit();
    limits.set(group, limit);
    return limit;
  }

  /** Runs only while it is needed: an idle process has no timer. */
  function observe(): void {
    let tickAt = performance.now();
    let loggedAt = Number.NEGATIVE_INFINITY;
    timer = setInterval(function tick() {
      const now = performance.now();
      const [lateMs, waitMs] = [now - tickAt - TICK_MS, databaseWaitMs()];
      tickAt = now;
      reason = lateMs > waitMs ? 'event_loop' : 'database';
      let isNeeded = false;
      for (const limit of limits.values()) {
        if (!limit.needsObservation()) continue;
        isNeeded = true;
        limit.observe(Math.max(lateMs, waitMs), now);
      }
      if (refused > 0 && now - loggedAt >= LOG_INTERVAL_MS) {
        const endpoints = [...limits].filter(([, limit]) => limit.isLimited()).map(([group]) => group);
        const waits = { event_loop_late_ms: Math.round(lateMs), database_wait_ms: Math.round(waitMs) };
        logger.warn({ refused, endpoints, ...waits }, 'overloaded, refusing requests');
        refused = 0;
        loggedAt = now;
      }
      if (isNeeded) return;
      clearInterval(timer);
      timer = undefined;
    }, TICK_MS).unref();
  }

  return {
    tryEnter(group) {
      const limit = limitOf(group);
      const isAdmitted = limit.tryEnter();
      if (!isAdmitted) {
        refused += 1;
        shed.inc({ reason });
      }
      if (!timer && limit.needsObservation()) observe();
      return isAdmitted;
    },
    leave: (group, isServed) => limitOf(group).leave(isServed),
  };
}
