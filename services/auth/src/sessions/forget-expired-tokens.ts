import type { AuthContext } from '../service';
import { deleteExpiredTokens } from './sessions.sql';

/** Every login or refresh adds one row, so this many at a time keep the table from growing for ever. */
const ROWS_AT_ONCE = 16;

/** Housekeeping with each login and refresh. Its failure does not fail them. */
export async function forgetExpiredTokens({ db, logger }: Pick<AuthContext, 'db' | 'logger'>): Promise<void> {
  try {
    await deleteExpiredTokens(db, new Date(), ROWS_AT_ONCE);
  } catch (error) {
    logger.warn({ err: error }, 'could not delete expired refresh tokens; trying again with the next login');
  }
}
