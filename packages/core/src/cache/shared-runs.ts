import { AppError } from '../errors';

interface Run {
  result: Promise<unknown>;
  /** For callers that arrived after this run had started. */
  next: Promise<unknown> | undefined;
}

/**
 * Shares runs of the same work between concurrent callers. A caller never gets the result of a run that started before its
 * call, so its result is never older than the call. Per key, at most one run is in progress and one waits for it to end.
 * @returns `run(key, work)`; callers with the same key must pass equivalent `work`
 */
export function sharedRuns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const runs = new Map<string, Run>();

  function start<T>(key: string, work: () => Promise<T>): Promise<T> {
    const run: Run & { result: Promise<T> } = { result: work(), next: undefined };
    runs.set(key, run);
    const remove = () => {
      if (runs.get(key) === run) runs.delete(key);
    };
    run.result.then(remove, remove);
    return run.result;
  }

  return <T>(key: string, work: () => Promise<T>) => {
    const current = runs.get(key) as (Run & { result: Promise<T>; next: Promise<T> | undefined }) | undefined;
    if (!current) return start(key, work);
    current.next ??= current.result.then(
      () => start(key, work),
      (error) => {
        // A caller that already waited for a failing database must not wait again: a client gets its 503 within 3 s.
        if (error instanceof AppError && error.kind === 'unavailable') throw error;
        return start(key, work);
      },
    );
    return current.next;
  };
}
