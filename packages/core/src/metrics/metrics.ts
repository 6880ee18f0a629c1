import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** A registry of its own for each app: two apps in one process (tests) don't mix their figures. */
export function createMetrics(service: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  const registers = [registry];
  return {
    registry,
    httpRequests: new Counter({
      name: 'http_requests_total',
      help: 'HTTP requests answered, by declared route',
      labelNames: ['method', 'endpoint', 'status'] as const,
      registers,
    }),
    httpDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte read to the answer sent',
      labelNames: ['method', 'endpoint', 'status'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    dbRetries: new Counter({
      name: 'db_transaction_retries_total',
      help: 'Database calls made again after a deadlock, a lock wait timeout or a lost connection',
      labelNames: ['reason'] as const,
      registers,
    }),
    dbErrors: new Counter({
      name: 'db_errors_total',
      help: 'Database calls that failed because the database was away, busy or not set up',
      labelNames: ['code'] as const,
      registers,
    }),
    redisUp: new Gauge({ name: 'redis_up', help: '1 while Redis answers this process', registers }),
    cacheRequests: new Counter({
      name: 'cache_requests_total',
      help: 'Cache look-ups by result',
      labelNames: ['result'] as const,
      registers,
    }),
    rateLimitDecisions: new Counter({
      name: 'rate_limit_decisions_total',
      help: 'Requests let through or refused by the rate limit, and which bucket decided',
      labelNames: ['decision', 'store'] as const,
      registers,
    }),
    jobRuns: new Counter({
      name: 'job_runs_total',
      help: 'Runs of the work that a service does by itself',
      labelNames: ['job', 'outcome'] as const,
      registers,
    }),
    /** A gauge read at scrape time. */
    gauge(name: string, help: string, read: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Node's own figures; once per process. */
export const collectProcessMetrics = (metrics: Metrics): void => collectDefaultMetrics({ register: metrics.registry });
