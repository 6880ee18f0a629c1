import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';

/** Work that a service repeats in the background. Every replica runs it, so it must be safe to run concurrently. */
export interface Job {
  name: string;
  everySeconds: number;
  /** @param stopping aborted when the service stops: a run with many steps should end after the current step */
  run(stopping?: AbortSignal): Promise<unknown>;
}

/**
 * A job that deletes rows which are no longer needed, in batches, so that each statement is short.
 * @param deleteBatch returns how many rows it found, at most `limit`
 */
export const deletionJob = (
  name: string,
  everySeconds: number,
  limit: number,
  deleteBatch: (limit: number) => Promise<number>,
): Job => ({
  name,
  everySeconds,
  async run(stopping) {
    while (!stopping?.aborted && (await deleteBatch(limit)) === limit);
  },
});

interface JobDeps {
  logger: Logger;
  metrics: Metrics;
}

export const jobMetrics = (metrics: Metrics) => ({
  runs: metrics.counter({
    name: 'job_runs_total',
    help: 'Background job runs by job and outcome',
    labelNames: ['job', 'outcome'],
  }),
});

/**
 * Runs each job repeatedly, but never twice at the same time in this process. The pauses are random, so that replicas do not
 * run in step. A failure is logged and counted, and the job runs again after the next pause.
 * @returns a function that stops the jobs and resolves once none is running
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
        logger.warn({ job: name, err: error }, 'job failed, it will run again after its next pause');
      }
    }
  });
  return async () => {
    stopping.abort();
    await Promise.all(running);
  };
}
