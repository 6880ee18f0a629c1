import { type ErrorDefinition, errorCode, type Metrics } from '@shop/core';

/** `password` or `google`. */
type LoginMethod = 'password' | 'google';

/** Counts log-ins by method and outcome: `success`, or the code of the error that the client got. */
export function countedLogins(metrics: Metrics) {
  const logins = metrics.counter({
    name: 'logins_total',
    help: 'Log-ins by method and outcome: success, or the error code of the answer',
    labelNames: ['method', 'outcome'],
  });
  return <A extends unknown[], T>(
    method: LoginMethod,
    refusals: ErrorDefinition[],
    logIn: (...credentials: A) => Promise<T>,
  ): ((...credentials: A) => Promise<T>) => {
    // Known beforehand, so that the first one is an increase in the graphs.
    for (const outcome of ['success', ...refusals.map(({ code }) => code)]) logins.inc({ method, outcome }, 0);
    return async (...credentials) => {
      try {
        const tokens = await logIn(...credentials);
        logins.inc({ method, outcome: 'success' });
        return tokens;
      } catch (error) {
        logins.inc({ method, outcome: errorCode(error) });
        throw error;
      }
    };
  };
}
