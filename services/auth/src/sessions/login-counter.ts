import { errorCode } from '@shop/core/errors';
import type { Metrics } from '@shop/core/metrics';
import { invalidIdToken } from '../google/google.errors';
import { tooManyAttempts } from '../guessing/guessing.errors';
import { invalidCode, secondFactorRequired, tooManyCodes } from '../second-factor/second-factor.errors';
import { invalidCredentials } from './sessions.errors';

export class LoginCounter {
  private readonly logins;

  constructor(metrics: Metrics) {
    this.logins = metrics.counter(
      {
        name: 'logins_total',
        help: 'Logins by method and outcome: success, or the error code of the response',
        labelNames: ['method', 'outcome'],
      },
      [
        { method: 'password', outcome: 'success' },
        { method: 'password', outcome: invalidCredentials.code },
        { method: 'password', outcome: tooManyAttempts.code },
        { method: 'password', outcome: secondFactorRequired.code },
        { method: 'password', outcome: invalidCode.code },
        { method: 'password', outcome: tooManyCodes.code },
        { method: 'google', outcome: 'success' },
        { method: 'google', outcome: invalidIdToken.code },
        { method: 'google', outcome: secondFactorRequired.code },
        { method: 'google', outcome: invalidCode.code },
        { method: 'google', outcome: tooManyCodes.code },
      ],
    );
  }

  /** Counts a finished login: as `success` or as the error code of the response. */
  async count<T>(method: 'password' | 'google', login: Promise<T>): Promise<T> {
    try {
      const result = await login;
      this.logins.inc({ method, outcome: 'success' });
      return result;
    } catch (error) {
      this.logins.inc({ method, outcome: errorCode(error) });
      throw error;
    }
  }
}
