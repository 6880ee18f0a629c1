import { errorCode } from '@shop/core/errors';
import type { Metrics } from '@shop/core/metrics';
import { invalidIdToken } from '../google/google.errors';
import { invalidCredentials } from './sessions.errors';

type LoginMethod = 'password' | 'google';

export interface LoginCounter {
  /** Counts a finished login: as `success` or as the error code of the response. */
  count<T>(method: LoginMethod, login: Promise<T>): Promise<T>;
}

export function createLoginCounter(metrics: Metrics): LoginCounter {
  const logins = metrics.counter(
    {
      name: 'logins_total',
      help: 'Logins by method and outcome: success, or the error code of the response',
      labelNames: ['method', 'outcome'],
    },
    [
      { method: 'password', outcome: 'success' },
      { method: 'password', outcome: invalidCredentials.code },
      { method: 'google', outcome: 'success' },
      { method: 'google', outcome: invalidIdToken.code },
    ],
  );

  async function count<T>(method: LoginMethod, login: Promise<T>): Promise<T> {
    try {
      const result = await login;
      logins.inc({ method, outcome: 'success' });
      return result;
    } catch (error) {
      logins.inc({ method, outcome: errorCode(error) });
      throw error;
    }
  }

  return { count };
}
