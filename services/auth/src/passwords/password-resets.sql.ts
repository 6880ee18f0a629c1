import { int, lockInIdOrder, type Sql, statement } from '@shop/core/db';
import { newOpaqueToken } from '../sessions/opaque-token';
import { RESET_SECONDS } from './passwords.schemas';

/* Table password_resets: at most one usable row per user. */

const INSERT_RESET = statement(
  'password_reset.insert',
  'INSERT INTO password_resets (user_id, token_hash, expires_at) VALUES (:userId, :hash, :expiresAt)',
);

/**
 * Must run in a database transaction. The lock on the user's row serializes the requests of one user, so that the last one
 * supersedes all others.
 * @returns the token
 */
export async function addResetToken(sql: Sql, userId: number): Promise<string> {
  const { token, hash } = newOpaqueToken();
  await lockInIdOrder(sql, 'users', [userId]);
  await deleteResets(sql, userId);
  await sql.write(INSERT_RESET, { userId, hash, expiresAt: new Date(Date.now() + RESET_SECONDS * 1000) });
  return token;
}

const LIST_RESETS = statement(
  'password_reset.deleteAll',
  { id: int },
  'SELECT id FROM password_resets WHERE user_id = :userId',
);

const DELETE_RESETS = statement('password_reset.deleteAll', 'DELETE FROM password_resets WHERE id IN (:ids)');

/** Needs the lock on the user's row. */
export async function deleteResets(sql: Sql, userId: number): Promise<void> {
  // By primary key: a DELETE by user_id that finds nothing takes a gap lock, and the inserts of two users deadlock on it.
  const found = await sql.rows(LIST_RESETS, { userId });
  if (found.length > 0) await sql.write(DELETE_RESETS, { ids: found.map(({ id }) => id) });
}

const FIND_LIVE_RESET = statement(
  'password_reset.findLive',
  { userId: int },
  `SELECT user_id AS userId FROM password_resets
   WHERE token_hash = :hash AND spent_at IS NULL AND expires_at > :now`,
);

/** Finds a reset that is neither spent nor expired. */
export async function findLiveReset(sql: Sql, hash: string, now: Date): Promise<{ userId: number } | undefined> {
  return await sql.row(FIND_LIVE_RESET, { hash, now });
}

const SPEND_RESET = statement(
  'password_reset.updateSpent',
  `UPDATE password_resets SET spent_at = :now
   WHERE token_hash = :hash AND spent_at IS NULL AND expires_at > :now`,
);

/** @returns false if it was spent, superseded or expired in the meantime */
export async function spendReset(sql: Sql, hash: string, now: Date): Promise<boolean> {
  return (await sql.write(SPEND_RESET, { hash, now })).affectedRows === 1;
}
