import { dateTime, int, nullable, type RowOf, type Sql, statement, text } from '@shop/core/db';
import type { NewRefreshToken } from './token-issuer';

/*
 * Table refresh_tokens. A session is a family of tokens: the first one from the login and all rotated from it. Reads from
 * table users only whether a password hash is unchanged.
 */

const INSERT_TOKEN = statement(
  'session.insert',
  `INSERT INTO refresh_tokens (user_id, family_id, token_hash, expires_at)
   VALUES (:userId, :familyId, :hash, :expiresAt)`,
);

export async function insertRefreshToken(sql: Sql, userId: number, token: NewRefreshToken): Promise<void> {
  const { familyId, hash, expiresAt } = token;
  await sql.write(INSERT_TOKEN, { userId, familyId, hash, expiresAt });
}

const INSERT_TOKEN_IF_PASSWORD_IS = statement(
  'session.insertIfPasswordIs',
  `INSERT INTO refresh_tokens (user_id, family_id, token_hash, expires_at)
   SELECT id, :familyId, :hash, :expiresAt FROM users WHERE id = :userId AND password_hash = :passwordHash`,
);

/** Waits for a concurrent password reset. @returns false if the password has changed */
export async function insertRefreshTokenIfPasswordIs(
  sql: Sql,
  passwordHash: string,
  userId: number,
  { familyId, hash, expiresAt }: NewRefreshToken,
): Promise<boolean> {
  const values = { userId, passwordHash, familyId, hash, expiresAt };
  return (await sql.write(INSERT_TOKEN_IF_PASSWORD_IS, values)).affectedRows === 1;
}

const tokenColumns = {
  id: int,
  userId: int,
  familyId: text,
  expiresAt: dateTime,
  spentAt: nullable(dateTime),
  revokedAt: nullable(dateTime),
};

const LOCK_TOKEN = statement(
  'session.lockByHash',
  tokenColumns,
  `SELECT id, user_id AS userId, family_id AS familyId, expires_at AS expiresAt, spent_at AS spentAt,
     revoked_at AS revokedAt
   FROM refresh_tokens WHERE token_hash = :hash FOR UPDATE`,
);

/** Locks the row until the end of the database transaction. */
export async function lockRefreshToken(sql: Sql, hash: string): Promise<RowOf<typeof tokenColumns> | undefined> {
  return await sql.row(LOCK_TOKEN, { hash });
}

const SPEND_TOKEN = statement('session.updateSpent', 'UPDATE refresh_tokens SET spent_at = :spentAt WHERE id = :id');

export async function spendRefreshToken(sql: Sql, id: number, spentAt: Date): Promise<void> {
  await sql.write(SPEND_TOKEN, { id, spentAt });
}

const REVOKE_SESSION = statement(
  'session.updateFamilyRevoked',
  'UPDATE refresh_tokens SET revoked_at = :revokedAt WHERE family_id = :familyId AND revoked_at IS NULL',
);

export async function revokeSession(sql: Sql, familyId: string, revokedAt: Date): Promise<void> {
  await sql.write(REVOKE_SESSION, { familyId, revokedAt });
}

const REVOKE_ALL_SESSIONS = statement(
  'session.updateAllRevoked',
  'UPDATE refresh_tokens SET revoked_at = :revokedAt WHERE user_id = :userId AND revoked_at IS NULL',
);

export async function revokeAllSessions(sql: Sql, userId: number, revokedAt: Date): Promise<void> {
  await sql.write(REVOKE_ALL_SESSIONS, { userId, revokedAt });
}

const LIST_EXPIRED = statement(
  'session.deleteExpired',
  { id: int },
  'SELECT id FROM refresh_tokens WHERE expires_at < :now ORDER BY expires_at LIMIT :limit',
);

const DELETE_TOKENS = statement('session.deleteExpired', 'DELETE FROM refresh_tokens WHERE id IN (:ids)');

/** Finds the rows without a lock and deletes them by key, so that concurrent logins do not wait for each other. */
export async function deleteExpiredTokens(sql: Sql, now: Date, limit: number): Promise<void> {
  const expired = await sql.rows(LIST_EXPIRED, { now, limit });
  if (expired.length === 0) return;
  await sql.write(DELETE_TOKENS, { ids: expired.map(({ id }) => id).sort((a, b) => a - b) });
}
