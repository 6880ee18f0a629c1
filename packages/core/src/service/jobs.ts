import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';

/** Work that a service does by itself from time to time. Every replica runs it, so it must bear company. */
export interface Job {
  name: string;
  everySeconds: number;
  /** @param stopping aborted when the service stops: a run of many steps ends after the current one */
  run(stopping?: AbortSignal): Promise<unknown>;
}

interface JobDeps {
  logger: Logger;
  metrics: Metrics;
}

export const jobMetrics = (metrics: Metrics) => ({
  runs: metrics.counter({
    name: 'job_runs_total',
    help: 'Runs of the work that a service does by itself',
    labelNames: ['job', 'outcome'],
  }),
});

/**
 * Runs each job over and over, never twice at once in this process; replicas drift apart by themselves. One that fails is
 * logged and counted and runs again next time.
 * @returns stops them: resolves once none is running any more
 */
export function startJobs(jobs: Job[], { logger, metrics }: JobDeps): () => Promise<void> {
  const { runs } = jobMetrics(metrics);
  const stopping = new AbortController();
  const running = jobs.map(async ({ name, everySeconds, run }) => {
    const pause = () =>
      sleep((0.5 + Math.random()) * everySeconds * 1000, undefined, { signal: stopping.signal, ref: false });
    for (;;) {
      try {
        await pause();
      } catch {
        return;
      }
      try {
        await run(stopping.signal);
        runs.inc({ job: name, outcome: 'success' });
      } catch (error) {
        runs.inc({ job: name, outcome: 'failure' });
        logger.warn({ job: name, err: error }, 'a job failed; it runs again');
      }
    }
  });
  return async () => {
    stopping.abort();
    await Promise.all(running);
  };
}
