import {
  dateTime,
  flag,
  int,
  type List,
  nullable,
  type Page,
  type RowOf,
  type Sql,
  selectList,
  statement,
  text,
  timestamp,
  when,
} from '@shop/core/db';
import { type Client, clientColumns } from '../audit/client';
import { type RevocationTimes, revokeTokensOfSession, revokeTokensOfUser } from './revocations.sql';
import type { NewRefreshToken } from './token-issuer';

/*
 * Tables sessions and refresh_tokens. A session is a login, with a family of refresh tokens: the first one, and all rotated
 * from it. The row in sessions is locked before the rows of its tokens. Reads from table users only whether a password hash
 * is unchanged.
 */

const INSERT_SESSION = statement(
  'session.insert',
  `INSERT INTO sessions (user_id, family_id, with_factor, ip, user_agent, created_at, last_used_at, expires_at)
   VALUES (:userId, :familyId, :withFactor, :ip, :userAgent, :now, :now, :expiresAt)`,
);

const INSERT_TOKEN = statement(
  'session.insertToken',
  `INSERT INTO refresh_tokens (user_id, family_id, parent_id, token_hash, expires_at)
   VALUES (:userId, :familyId, :parentId, :hash, :expiresAt)`,
);

/** @param parentId the token that it replaces; null for a login */
export async function insertRefreshToken(
  sql: Sql,
  userId: number,
  { familyId, hash, expiresAt }: NewRefreshToken,
  parentId: number | null = null,
): Promise<void> {
  await sql.write(INSERT_TOKEN, { userId, familyId, parentId, hash, expiresAt });
}

async function insertSessionRow(sql: Sql, userId: number, token: NewRefreshToken, client: Client): Promise<void> {
  const { familyId, withFactor, expiresAt } = token;
  const values = { userId, familyId, withFactor: Number(withFactor), ...clientColumns(client), expiresAt };
  await sql.write(INSERT_SESSION, { ...values, now: new Date() });
}

/** Must run in a database transaction. */
export async function insertSession(sql: Sql, userId: number, token: NewRefreshToken, client: Client): Promise<void> {
  await insertSessionRow(sql, userId, token, client);
  await insertRefreshToken(sql, userId, token);
}

const INSERT_TOKEN_IF_PASSWORD_IS = statement(
  'session.insertIfPasswordIs',
  `INSERT INTO refresh_tokens (user_id, family_id, token_hash, expires_at)
   SELECT id, :familyId, :hash, :expiresAt FROM users WHERE id = :userId AND password_hash = :passwordHash`,
);

/**
 * Must run in a database transaction. Waits for a concurrent password reset.
 * @returns false if the password has changed: then there is no session
 */
export async function insertSessionIfPasswordIs(
  sql: Sql,
  passwordHash: string,
  userId: number,
  token: NewRefreshToken,
  client: Client,
): Promise<boolean> {
  const { familyId, hash, expiresAt } = token;
  const values = { userId, passwordHash, familyId, hash, expiresAt };
  const isCurrent = (await sql.write(INSERT_TOKEN_IF_PASSWORD_IS, values)).affectedRows === 1;
  if (isCurrent) await insertSessionRow(sql, userId, token, client);
  return isCurrent;
}

const FIND_FAMILY = statement(
  'session.findByToken',
  { userId: int, familyId: text, sessionId: nullable(int) },
  `SELECT refresh_tokens.user_id AS userId, refresh_tokens.family_id AS familyId, sessions.id AS sessionId
   FROM refresh_tokens LEFT JOIN sessions ON sessions.family_id = refresh_tokens.family_id
   WHERE token_hash = :hash`,
);

/** @returns the token's session. Its row is missing (`sessionId` null) if it began with the release before. */
export async function findFamily(
  sql: Sql,
  hash: string,
): Promise<{ userId: number; familyId: string; sessionId: number | null } | undefined> {
  return await sql.row(FIND_FAMILY, { hash });
}

const ADOPT_SESSIONS = statement(
  'session.adopt',
  `INSERT INTO sessions (user_id, family_id, created_at, last_used_at, expires_at)
   SELECT user_id, family_id, MIN(created_at), MAX(created_at), MAX(expires_at) FROM refresh_tokens
   WHERE user_id = :userId AND revoked_at IS NULL
     AND NOT EXISTS (SELECT 1 FROM sessions AS known WHERE known.family_id = refresh_tokens.family_id)
   GROUP BY user_id, family_id
   ON DUPLICATE KEY UPDATE sessions.id = sessions.id`,
);

/** Adds the missing rows of sessions that began with the release before, which only knows refresh_tokens. */
export async function adoptSessions(sql: Sql, userId: number): Promise<void> {
  await sql.write(ADOPT_SESSIONS, { userId });
}

const sessionLock = { id: int, withFactor: flag, createdAt: dateTime };

const LOCK_SESSION = statement(
  'session.lock',
  sessionLock,
  'SELECT id, with_factor AS withFactor, created_at AS createdAt FROM sessions WHERE family_id = :familyId FOR UPDATE',
);

/** Serializes all changes of a session until the end of the database transaction. */
export async function lockSession(sql: Sql, familyId: string): Promise<RowOf<typeof sessionLock> | undefined> {
  return await sql.row(LOCK_SESSION, { familyId });
}

const tokenColumns = {
  id: int,
  userId: int,
  expiresAt: dateTime,
  spentAt: nullable(dateTime),
  revokedAt: nullable(dateTime),
};

const LOCK_TOKEN = statement(
  'session.lockToken',
  tokenColumns,
  `SELECT id, user_id AS userId, expires_at AS expiresAt, spent_at AS spentAt, revoked_at AS revokedAt
   FROM refresh_tokens WHERE token_hash = :hash FOR UPDATE`,
);

export type StoredToken = RowOf<typeof tokenColumns>;

export async function lockRefreshToken(sql: Sql, hash: string): Promise<StoredToken | undefined> {
  return await sql.row(LOCK_TOKEN, { hash });
}

const COUNT_SUCCESSORS = statement(
  'session.countSuccessors',
  { successors: int, spent: int },
  `SELECT COUNT(*) AS successors, COUNT(spent_at) AS spent
   FROM refresh_tokens WHERE family_id = :familyId AND parent_id = :id`,
);

/** Whether the token was exchanged, and nothing that it was exchanged for has been exchanged in turn. */
export async function hasOnlyUnspentSuccessors(sql: Sql, familyId: string, id: number): Promise<boolean> {
  const { successors = 0, spent = 0 } = (await sql.row(COUNT_SUCCESSORS, { familyId, id })) ?? {};
  return successors > 0 && spent === 0;
}

const SPEND_TOKEN = statement('session.updateSpent', 'UPDATE refresh_tokens SET spent_at = :spentAt WHERE id = :id');

export async function spendRefreshToken(sql: Sql, id: number, spentAt: Date): Promise<void> {
  await sql.write(SPEND_TOKEN, { id, spentAt });
}

const UPDATE_USED = statement(
  'session.updateUsed',
  'UPDATE sessions SET last_used_at = :usedAt, expires_at = :expiresAt WHERE id = :id',
);

export async function updateSessionUsed(sql: Sql, id: number, usedAt: Date, expiresAt: Date): Promise<void> {
  await sql.write(UPDATE_USED, { id, usedAt, expiresAt });
}

const UPDATE_WITHOUT_FACTOR = statement(
  'session.updateWithoutFactor',
  'UPDATE sessions SET with_factor = 0 WHERE user_id = :userId',
);

/** For a second factor that is removed: the sessions that began with it count as begun without. */
export async function updateSessionsWithoutFactor(sql: Sql, userId: number): Promise<void> {
  await sql.write(UPDATE_WITHOUT_FACTOR, { userId });
}

const REVOKE_FAMILY = statement(
  'session.updateFamilyRevoked',
  'UPDATE refresh_tokens SET revoked_at = :revokedAt WHERE family_id = :familyId AND revoked_at IS NULL',
);

const DELETE_SESSION = statement('session.delete', 'DELETE FROM sessions WHERE family_id = :familyId');

/**
 * Ends a session with all of its tokens: a logout. Must run in a database transaction.
 * @returns false if it had ended before
 */
export async function revokeSession(sql: Sql, familyId: string, times: RevocationTimes): Promise<boolean> {
  await lockSession(sql, familyId);
  await revokeTokensOfSession(sql, familyId, times);
  const { affectedRows } = await sql.write(REVOKE_FAMILY, { familyId, revokedAt: times.revokedAt });
  await sql.write(DELETE_SESSION, { familyId });
  return affectedRows > 0;
}

const LOCK_SESSIONS_OF = statement(
  'session.lockAll',
  { id: int },
  'SELECT id FROM sessions WHERE user_id = :userId ORDER BY created_at, id FOR UPDATE',
);

const REVOKE_ALL = statement(
  'session.updateAllRevoked',
  `UPDATE refresh_tokens SET revoked_at = :revokedAt
   WHERE user_id = :userId AND family_id <> :keep AND revoked_at IS NULL`,
);

const DELETE_ALL = statement(
  'session.deleteAll',
  'DELETE FROM sessions WHERE user_id = :userId AND family_id <> :keep',
);

/**
 * Ends all sessions of a user with all of their tokens, except the session to keep. Must run in a database transaction.
 * @param keep the session's id in its access tokens (`sid`)
 */
export async function revokeAllSessions(sql: Sql, userId: number, times: RevocationTimes, keep = ''): Promise<void> {
  await sql.rows(LOCK_SESSIONS_OF, { userId });
  await revokeTokensOfUser(sql, userId, times, keep);
  await sql.write(REVOKE_ALL, { userId, revokedAt: times.revokedAt, keep });
  await sql.write(DELETE_ALL, { userId, keep });
}

const sessionColumns = {
  id: int,
  created_at: timestamp,
  last_used_at: timestamp,
  ip: nullable(text),
  user_agent: nullable(text),
  familyId: text,
};

/** Only sessions that can still be refreshed: a service of the release before revokes tokens and leaves the row. */
export async function listSessions(sql: Sql, userId: number, page: Page): Promise<List<RowOf<typeof sessionColumns>>> {
  const source = {
    name: 'session.list',
    columns: sessionColumns,
    select: 'sessions.id, sessions.created_at, last_used_at, ip, user_agent, family_id AS familyId',
    table: 'sessions',
    where: [
      when('user_id = :user_id', { user_id: userId }),
      when(
        `EXISTS (SELECT 1 FROM refresh_tokens
                 WHERE refresh_tokens.family_id = sessions.family_id AND revoked_at IS NULL
                   AND refresh_tokens.expires_at > :now)`,
        { now: new Date() },
      ),
    ],
    index: 'sessions_user',
  };
  return await selectList(sql, source, page);
}

const FIND_FAMILY_BY_ID = statement(
  'session.findById',
  { familyId: text },
  'SELECT family_id AS familyId FROM sessions WHERE id = :id AND user_id = :userId',
);

export async function findFamilyById(sql: Sql, userId: number, id: number): Promise<string | undefined> {
  return (await sql.row(FIND_FAMILY_BY_ID, { id, userId }))?.familyId;
}

const LIST_EXPIRED_TOKENS = statement(
  'session.deleteExpiredTokens',
  { id: int },
  'SELECT id FROM refresh_tokens WHERE expires_at < :now ORDER BY expires_at LIMIT :limit',
);
const DELETE_TOKENS = statement('session.deleteExpiredTokens', 'DELETE FROM refresh_tokens WHERE id IN (:ids)');
const LIST_EXPIRED_SESSIONS = statement(
  'session.deleteExpired',
  { id: int },
  'SELECT id FROM sessions WHERE expires_at < :now ORDER BY expires_at LIMIT :limit',
);
const DELETE_SESSIONS = statement('session.deleteExpired', 'DELETE FROM sessions WHERE id IN (:ids)');

/** Finds the rows without a lock and deletes them by key, so that concurrent logins do not wait for each other. */
export async function deleteExpired(sql: Sql, now: Date, limit: number): Promise<void> {
  for (const [list, remove] of [
    [LIST_EXPIRED_TOKENS, DELETE_TOKENS],
    [LIST_EXPIRED_SESSIONS, DELETE_SESSIONS],
  ] as const) {
    const expired = await sql.rows(list, { now, limit });
    if (expired.length > 0) await sql.write(remove, { ids: expired.map(({ id }) => id).sort((a, b) => a - b) });
  }
}
