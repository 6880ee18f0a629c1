import { int, lockInIdOrder, type Sql, statement, text } from '@shop/core/db';
import { newOpaqueToken } from '../sessions/opaque-token';
import { VERIFICATION_SECONDS } from './email.schemas';

/* Table email_verifications: at most one row per user. Used and superseded ones are deleted. */

const INSERT_VERIFICATION = statement(
  'email_verification.insert',
  `INSERT INTO email_verifications (user_id, email, token_hash, expires_at)
   VALUES (:userId, :email, :hash, :expiresAt)`,
);

/**
 * Must run in a database transaction. The lock on the user's row serializes the requests of one user, so that the last one
 * supersedes all others.
 * @param email becomes the address of the account
 * @returns the token
 */
export async function addVerificationToken(sql: Sql, userId: number, email: string): Promise<string> {
  const { token, hash } = newOpaqueToken();
  await lockInIdOrder(sql, 'users', [userId]);
  await deleteVerifications(sql, userId);
  const expiresAt = new Date(Date.now() + VERIFICATION_SECONDS * 1000);
  await sql.write(INSERT_VERIFICATION, { userId, email, hash, expiresAt });
  return token;
}

const LIST_VERIFICATIONS = statement(
  'email_verification.deleteAll',
  { id: int },
  'SELECT id FROM email_verifications WHERE user_id = :userId',
);

const DELETE_VERIFICATIONS = statement(
  'email_verification.deleteAll',
  'DELETE FROM email_verifications WHERE id IN (:ids)',
);

/** Needs the lock on the user's row. */
async function deleteVerifications(sql: Sql, userId: number): Promise<void> {
  // By primary key: a DELETE by user_id that finds nothing takes a gap lock, and the inserts of two users deadlock on it.
  const found = await sql.rows(LIST_VERIFICATIONS, { userId });
  if (found.length > 0) await sql.write(DELETE_VERIFICATIONS, { ids: found.map(({ id }) => id) });
}

const verificationColumns = { userId: int, email: text };

const FIND_LIVE = statement(
  'email_verification.findLive',
  verificationColumns,
  `SELECT user_id AS userId, email FROM email_verifications WHERE token_hash = :hash AND expires_at > :now`,
);

export async function findLiveVerification(sql: Sql, hash: string, now: Date) {
  return await sql.row(FIND_LIVE, { hash, now });
}

const SPEND = statement(
  'email_verification.spend',
  'DELETE FROM email_verifications WHERE token_hash = :hash AND expires_at > :now',
);

/** @returns false if it was spent, superseded or expired in the meantime */
export async function spendVerification(sql: Sql, hash: string, now: Date): Promise<boolean> {
  return (await sql.write(SPEND, { hash, now })).affectedRows === 1;
}

const DELETE_EXPIRED = statement(
  'email_verification.deleteExpired',
  'DELETE FROM email_verifications WHERE id IN (:ids) AND expires_at < :now',
);

const LIST_EXPIRED = statement(
  'email_verification.deleteExpired',
  { id: int },
  'SELECT id FROM email_verifications WHERE expires_at < :now ORDER BY expires_at LIMIT :limit',
);

/** @returns how many were found */
export async function deleteExpiredVerifications(sql: Sql, now: Date, limit: number): Promise<number> {
  const ids = (await sql.rows(LIST_EXPIRED, { now, limit })).map(({ id }) => id).sort((a, b) => a - b);
  if (ids.length > 0) await sql.write(DELETE_EXPIRED, { ids, now });
  return ids.length;
}
