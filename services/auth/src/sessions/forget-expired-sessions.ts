import type { AuthContext } from '../service';
import { deleteExpired } from './sessions.sql';

/** Every login or refresh adds a row and deletes up to this many of each table, so they do not grow without bound. */
const CLEANUP_BATCH = 16;

/** Runs with each login and refresh. A failure here does not fail them. */
export async function forgetExpiredSessions({ db, logger }: Pick<AuthContext, 'db' | 'logger'>): Promise<void> {
  try {
    await deleteExpired(db, new Date(), CLEANUP_BATCH);
  } catch (error) {
    logger.warn({ err: error }, 'could not delete expired sessions, retrying with the next login');
  }
}
