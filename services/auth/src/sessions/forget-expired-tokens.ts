import type { AuthContext } from '../service';
import { deleteExpiredTokens } from './sessions.sql';

/** Every login or refresh adds one row and deletes up to this many, so the table does not grow without bound. */
const CLEANUP_BATCH = 16;

/** Runs with each login and refresh. A failure here does not fail them. */
export async function forgetExpiredTokens({ db, logger }: Pick<AuthContext, 'db' | 'logger'>): Promise<void> {
  try {
    await deleteExpiredTokens(db, new Date(), CLEANUP_BATCH);
  } catch (error) {
    logger.warn({ err: error }, 'could not delete expired refresh tokens, retrying with the next login');
  }
}
