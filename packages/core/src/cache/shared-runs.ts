import { AppError } from '../errors';

interface Run {
  result: Promise<unknown>;
  /** For callers who came after this run had begun. */
  next: Promise<unknown> | undefined;
}

/**
 * Shares runs of the same work between concurrent callers. A caller never gets the result of a run that had begun before
 * its call, so what it gets is no older than its call: at most one run is on its way, and one waits for it to end.
 * @returns `run(key, work)`: `work` stands for what every caller with this key wants
 */
export function sharedRuns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const runs = new Map<string, Run>();

  function begin<T>(key: string, work: () => Promise<T>): Promise<T> {
    const run: Run & { result: Promise<T> } = { result: work(), next: undefined };
    runs.set(key, run);
    const forget = () => {
      if (runs.get(key) === run) runs.delete(key);
    };
    run.result.then(forget, forget);
    return run.result;
  }

  return <T>(key: string, work: () => Promise<T>) => {
    const current = runs.get(key) as (Run & { result: Promise<T>; next: Promise<T> | undefined }) | undefined;
    if (!current) return begin(key, work);
    current.next ??= current.result.then(
      () => begin(key, work),
      (error) => {
        // Who waited through an outage does not wait through it again: a client hears 503 within 3 s.
        if (error instanceof AppError && error.kind === 'unavailable') throw error;
        return begin(key, work);
      },
    );
    return current.next;
  };
}
