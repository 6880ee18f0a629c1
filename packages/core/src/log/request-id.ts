import { AsyncLocalStorage } from 'node:async_hooks';

/** The request that runs now. For log lines only: nothing may depend on it. */
const current = new AsyncLocalStorage<string>();

/** Runs `work`. The log lines of `work` and of whatever it awaits get this request id. */
export const withRequestId = <T>(id: string, work: () => T): T => current.run(id, work);

export const requestIdFields = (): { request_id?: string } => {
  const id = current.getStore();
  return id === undefined ? {} : { request_id: id };
};
