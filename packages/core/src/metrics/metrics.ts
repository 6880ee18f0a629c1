import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';

// The path is correct from both src/ and dist/.
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')));

/** Histogram buckets in seconds for one network round trip: a statement, a Redis command, the wait for a connection. */
export const ROUND_TRIP_BUCKETS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

/** A registry and its metrics. Registering a counter or histogram again under its name returns the existing one. */
export interface Metrics {
  readonly registry: Registry;
  /** Registers a gauge that calls `read` on each scrape. */
  gauge(name: string, help: string, read: () => number): void;
  /** @param zeros label sets that start at 0, so that Prometheus sees the first event as an increase */
  counter<L extends string = never>(
    options: { name: string; help: string; labelNames?: readonly L[] },
    zeros?: readonly Record<L, string>[],
  ): Counter<L>;
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly L[],
  ): Histogram<L>;
}

/** Creates a separate registry for each app, so that two apps in one process (in tests) do not mix their metrics. */
export function createMetrics(service: string, revision = 'unknown'): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  const registers = [registry];
  new Gauge({
    // Dashboards and alerts of operators use this name.
    name: 'shop_build_info',
    help: 'Always 1; the labels show the running version, revision and Node.js version',
    labelNames: ['version', 'revision', 'node_version'] as const,
    registers,
  }).set({ version, revision, node_version: process.version }, 1);
  return {
    registry,
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    counter({ name, help, labelNames = [] }, zeros = []) {
      const known = registry.getSingleMetric(name);
      if (known instanceof Counter) return known;
      const counter = new Counter({ name, help, labelNames, registers });
      for (const labels of zeros) counter.inc(labels, 0);
      return counter;
    },
    histogram(name, help, buckets, labelNames = []) {
      const known = registry.getSingleMetric(name);
      if (known instanceof Histogram) return known;
      return new Histogram({ name, help, labelNames, buckets: [...buckets], registers });
    },
  };
}

/** Collects Node's own metrics. Call it once per process. */
export const collectProcessMetrics = (metrics: Metrics): void => collectDefaultMetrics({ register: metrics.registry });
