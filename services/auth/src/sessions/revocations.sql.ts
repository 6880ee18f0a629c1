import type { Role } from '@shop/core/auth';
import { int, type Sql, statement } from '@shop/core/db';

/* Table revocations, which all services read (packages/core/src/auth/revocations.ts). */

/** When access tokens were revoked, and when the last of them would have expired. */
export interface RevocationTimes {
  revokedAt: Date;
  expiresAt: Date;
}

const REVOKE_SESSION_TOKENS = statement(
  'revocation.insertSession',
  `INSERT INTO revocations (user_id, session_id, revoked_at, expires_at)
   SELECT DISTINCT user_id, family_id, :revokedAt, :expiresAt FROM refresh_tokens
   WHERE family_id = :familyId AND revoked_at IS NULL`,
);

/** Ends the access tokens of a session. Must come before its refresh tokens are revoked. */
export async function revokeTokensOfSession(sql: Sql, familyId: string, times: RevocationTimes): Promise<void> {
  await sql.write(REVOKE_SESSION_TOKENS, { familyId, ...times });
}

const REVOKE_TOKENS_OF_SESSIONS = statement(
  'revocation.insertSessions',
  `INSERT INTO revocations (user_id, session_id, revoked_at, expires_at)
   SELECT DISTINCT user_id, family_id, :revokedAt, :expiresAt FROM refresh_tokens
   WHERE user_id = :userId AND family_id <> :keep AND revoked_at IS NULL`,
);

const REVOKE_OTHER_TOKENS = statement(
  'revocation.insertUser',
  'INSERT INTO revocations (user_id, revoked_at, expires_at) VALUES (:userId, :revokedAt, :expiresAt)',
);

/**
 * Ends the access tokens of a user's sessions, except one session, and those that name no session. Must come before the
 * refresh tokens are revoked.
 */
export async function revokeTokensOfUser(
  sql: Sql,
  userId: number,
  times: RevocationTimes,
  keep: string,
): Promise<void> {
  await sql.write(REVOKE_TOKENS_OF_SESSIONS, { userId, keep, ...times });
  await sql.write(REVOKE_OTHER_TOKENS, { userId, ...times });
}

const REVOKE_OTHER_ROLES = statement(
  'revocation.insertRole',
  'INSERT INTO revocations (user_id, role, revoked_at, expires_at) VALUES (:userId, :role, :revokedAt, :expiresAt)',
);

/** Ends a user's access tokens with another role than the new one. Needs the lock on the user's row: the last one counts. */
export async function revokeOtherRoles(sql: Sql, userId: number, role: Role, times: RevocationTimes): Promise<void> {
  await sql.write(REVOKE_OTHER_ROLES, { userId, role, ...times });
}

const LIST_EXPIRED = statement(
  'revocation.deleteExpired',
  { id: int },
  'SELECT id FROM revocations WHERE expires_at < :now ORDER BY expires_at LIMIT :limit',
);
const DELETE_REVOCATIONS = statement('revocation.deleteExpired', 'DELETE FROM revocations WHERE id IN (:ids)');

/** @returns the number of deleted rows */
export async function deleteExpiredRevocations(sql: Sql, now: Date, limit: number): Promise<number> {
  const expired = await sql.rows(LIST_EXPIRED, { now, limit });
  if (expired.length > 0) await sql.write(DELETE_REVOCATIONS, { ids: expired.map(({ id }) => id) });
  return expired.length;
}
