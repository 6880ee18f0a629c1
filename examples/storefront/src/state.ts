import { useEffect, useState } from 'preact/hooks';

export interface State<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

/** A value that several components show. */
export function createState<T>(initial: T): State<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useValue<T>(state: State<T>): T {
  const [value, setValue] = useState(() => state.get());
  useEffect(() => {
    setValue(() => state.get());
    return state.subscribe(() => setValue(() => state.get()));
  }, [state]);
  return value;
}

export interface Loaded<T> {
  /** While newer data is loaded, the older one. */
  data: T | undefined;
  error: unknown;
  isLoading: boolean;
  reload: () => void;
  replace: (data: T) => void;
}

/** Loads data when the component appears and whenever `key` changes. A load that is no longer wanted is aborted. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{ data?: T | undefined; error?: unknown; isLoading: boolean }>({
    isLoading: true,
  });
  useEffect(() => {
    const controller = new AbortController();
    setState(({ data }) => ({ data, isLoading: true }));
    load(controller.signal).then(
      (data) => controller.signal.aborted || setState({ data, isLoading: false }),
      (error: unknown) => controller.signal.aborted || setState({ error, isLoading: false }),
    );
    return () => controller.abort();
  }, [key, round]);
  return {
    data: state.data,
    error: state.error,
    isLoading: state.isLoading,
    reload: () => setRound((count) => count + 1),
    replace: (data) => setState({ data, isLoading: false }),
  };
}

export interface Action<Args extends unknown[]> {
  run: (...args: Args) => Promise<void>;
  isRunning: boolean;
  error: unknown;
}

/** Something that a button or a form does: one at a time, with the error of the last try. */
export function useAction<Args extends unknown[]>(work: (...args: Args) => Promise<void>): Action<Args> {
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (...args: Args) => {
    if (isRunning) return;
    setRunning(true);
    setError(undefined);
    try {
      await work(...args);
    } catch (caught) {
      setError(caught);
    } finally {
      setRunning(false);
    }
  };
  return { run, isRunning, error };
}

/** For `onSubmit`: the browser's own checks of the fields have passed. */
export const submits =
  (action: Action<[form: HTMLFormElement]>) =>
  (event: SubmitEvent & { currentTarget: HTMLFormElement }): void => {
    event.preventDefault();
    void action.run(event.currentTarget);
  };
