import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';
import { databaseErrorCodes, retryReasons } from '../db/errors';

// The same place seen from src/ and from dist/.
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')));

/** Seconds, for what goes over the network once: a statement, a command, the wait for a connection. */
const ROUND_TRIP_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

/** A registry of its own for each app: two apps in one process (tests) don't mix their figures. */
export function createMetrics(service: string, revision = 'unknown') {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  const registers = [registry];
  new Gauge({
    name: 'shop_build_info',
    help: 'Always 1; its labels say what runs',
    labelNames: ['version', 'revision', 'node_version'] as const,
    registers,
  }).set({ version, revision, node_version: process.version }, 1);
  return {
    registry,
    ...httpMetrics(registers),
    ...databaseMetrics(registers),
    ...redisMetrics(registers),
    uploads: withZeros(
      new Counter({
        name: 'uploads_total',
        help: 'Files sent to us by what became of them: stored, refused (the client heard why) or failed',
        labelNames: ['outcome'] as const,
        registers,
      }),
      [{ outcome: 'stored' }, { outcome: 'refused' }, { outcome: 'failed' }],
    ),
    uploadBytes: new Counter({ name: 'upload_bytes_total', help: 'Bytes of the files that were stored', registers }),
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
    /** A counter of one service's own, the same for whoever asks for its name; `zeros` stand in the first scrape, so that the first event is an increase. */
    counter<L extends string>(
      { name, help, labelNames }: { name: string; help: string; labelNames: readonly L[] },
      zeros: Record<L, string>[] = [],
    ): Counter<L> {
      const made = registry.getSingleMetric(name);
      return made instanceof Counter ? made : withZeros(new Counter({ name, help, labelNames, registers }), zeros);
    },
    /** A histogram of one service's own, without labels. */
    histogram: (name: string, help: string, buckets: number[]): Histogram =>
      new Histogram({ name, help, buckets, registers }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

function httpMetrics(registers: Registry[]) {
  return {
    httpRequests: new Counter({
      name: 'http_requests_total',
      help: 'HTTP requests answered, by declared route',
      labelNames: ['method', 'endpoint', 'status'] as const,
      registers,
    }),
    // Without the status: a histogram is 15 series for each set of labels, and times come from what is asked for.
    httpDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte read to the answer sent',
      labelNames: ['method', 'endpoint'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    rateLimitDecisions: new Counter({
      name: 'rate_limit_decisions_total',
      help: 'Requests let through or refused by the rate limit, and which bucket decided',
      labelNames: ['decision', 'store'] as const,
      registers,
    }),
  };
}

function databaseMetrics(registers: Registry[]) {
  return {
    dbAcquire: new Histogram({
      name: 'db_pool_acquire_duration_seconds',
      help: 'Wait for a connection from the pool, in vain or not',
      buckets: ROUND_TRIP_BUCKETS,
      registers,
    }),
    dbQuery: new Histogram({
      name: 'db_query_duration_seconds',
      help: 'Time of a statement on its connection, by the repository method that sent it',
      labelNames: ['query'] as const,
      buckets: ROUND_TRIP_BUCKETS,
      registers,
    }),
    dbRetries: withZeros(
      new Counter({
        name: 'db_transaction_retries_total',
        help: 'Database calls made again after a deadlock, a lock wait timeout or a lost connection',
        labelNames: ['reason'] as const,
        registers,
      }),
      retryReasons.map((reason) => ({ reason })),
    ),
    dbErrors: withZeros(
      new Counter({
        name: 'db_errors_total',
        help: 'Database calls that failed because the database was away, busy or not set up',
        labelNames: ['code'] as const,
        registers,
      }),
      databaseErrorCodes.map((code) => ({ code })),
    ),
  };
}

function redisMetrics(registers: Registry[]) {
  return {
    redisUp: new Gauge({ name: 'redis_up', help: '1 while Redis answers this process', registers }),
    redisCommands: new Histogram({
      name: 'redis_client_command_duration_seconds',
      help: 'Time of a round trip to Redis, by what it was for; failed ones too',
      labelNames: ['purpose'] as const,
      buckets: [0.00025, ...ROUND_TRIP_BUCKETS.filter((seconds) => seconds <= 0.1)],
      registers,
    }),
    redisFailures: withZeros(
      new Counter({
        name: 'redis_client_failures_total',
        help: 'Round trips to Redis that gave nothing: it was away, too slow, or refused the command',
        labelNames: ['reason'] as const,
        registers,
      }),
      [{ reason: 'away' }, { reason: 'timeout' }, { reason: 'error' }],
    ),
    cacheUnconfirmed: new Counter({
      name: 'cache_unconfirmed_invalidations_total',
      help: 'Writes whose cache invalidation Redis did not confirm; each ends all cached answers through MySQL instead',
      registers,
    }),
    cacheRequests: new Counter({
      name: 'cache_requests_total',
      help: 'Cache look-ups by the path whose answers are cached and by result',
      labelNames: ['cache', 'result'] as const,
      registers,
    }),
  };
}

function withZeros<L extends string>(counter: Counter<L>, zeros: Record<L, string>[]): Counter<L> {
  for (const labels of zeros) counter.inc(labels, 0);
  return counter;
}

/** Node's own figures; once per process. */
export const collectProcessMetrics = (metrics: Metrics): void => collectDefaultMetrics({ register: metrics.registry });
