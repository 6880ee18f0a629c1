import type { Logger } from '@shop/core';
import type { SessionRepository } from './session.repository';

interface Parts {
  sessions: Pick<SessionRepository, 'deleteExpired'>;
  logger: Logger;
}

/** More than one new row comes with a login or refresh: at this pace the table cannot grow for ever. */
const ROWS_AT_ONCE = 16;

/** Housekeeping beside a login or refresh, which does not fail with it. */
export const forgetExpired =
  ({ sessions, logger }: Parts) =>
  async (): Promise<void> => {
    try {
      await sessions.deleteExpired(new Date(), ROWS_AT_ONCE);
    } catch (error) {
      logger.warn({ err: error }, 'expired refresh tokens stay until the next login');
    }
  };

export type ForgetExpired = ReturnType<typeof forgetExpired>;
