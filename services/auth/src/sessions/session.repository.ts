import { inList, repository, type Sql } from '@shop/core';
import type { NewRefreshToken } from './token-issuer';

interface RefreshTokenRow {
  id: number;
  user_id: number;
  family_id: string;
  expires_at: Date;
  spent_at: Date | null;
  revoked_at: Date | null;
}

export interface StoredRefreshToken {
  id: number;
  userId: number;
  familyId: string;
  expiresAt: Date;
  spentAt: Date | null;
  revokedAt: Date | null;
}

/** Statements on refresh_tokens: a session is a family of tokens, one login and all that was rotated from it. */
export const sessionRepository = repository('session', (sql: Sql) => ({
  async insert(userId: number, { familyId, hash, expiresAt }: NewRefreshToken): Promise<void> {
    await sql.write('INSERT INTO refresh_tokens (user_id, family_id, token_hash, expires_at) VALUES (?, ?, ?, ?)', [
      userId,
      familyId,
      hash,
      expiresAt,
    ]);
  },

  /** Waits for a reset of the password that is under way. @returns false: the password is another one by now */
  async insertIfPasswordIs(passwordHash: string, userId: number, refreshToken: NewRefreshToken): Promise<boolean> {
    const { affectedRows } = await sql.write(
      `INSERT INTO refresh_tokens (user_id, family_id, token_hash, expires_at)
       SELECT id, ?, ?, ? FROM users WHERE id = ? AND password_hash = ?`,
      [refreshToken.familyId, refreshToken.hash, refreshToken.expiresAt, userId, passwordHash],
    );
    return affectedRows === 1;
  },

  /** Locks the row until the end of the transaction. */
  async lockByHash(hash: string): Promise<StoredRefreshToken | undefined> {
    const [row] = await sql.rows<RefreshTokenRow>(
      `SELECT id, user_id, family_id, expires_at, spent_at, revoked_at FROM refresh_tokens
       WHERE token_hash = ? FOR UPDATE`,
      [hash],
    );
    return (
      row && {
        id: row.id,
        userId: row.user_id,
        familyId: row.family_id,
        expiresAt: row.expires_at,
        spentAt: row.spent_at,
        revokedAt: row.revoked_at,
      }
    );
  },

  async updateSpent(id: number, spentAt: Date): Promise<void> {
    await sql.write('UPDATE refresh_tokens SET spent_at = ? WHERE id = ?', [spentAt, id]);
  },

  async updateFamilyRevoked(familyId: string, revokedAt: Date): Promise<void> {
    await sql.write('UPDATE refresh_tokens SET revoked_at = ? WHERE family_id = ? AND revoked_at IS NULL', [
      revokedAt,
      familyId,
    ]);
  },

  async updateAllRevoked(userId: number, revokedAt: Date): Promise<void> {
    await sql.write('UPDATE refresh_tokens SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL', [
      revokedAt,
      userId,
    ]);
  },

  /** Found without a lock and deleted by key: logins running side by side do not wait for each other here. */
  async deleteExpired(now: Date, limit: number): Promise<void> {
    const expired = await sql.rows<{ id: number }>(
      'SELECT id FROM refresh_tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?',
      [now, limit],
    );
    if (expired.length === 0) return;
    const { placeholders, values } = inList(expired.map(({ id }) => id).sort((a, b) => a - b));
    await sql.write(`DELETE FROM refresh_tokens WHERE id IN (${placeholders})`, values);
  },
}));

export type SessionRepository = ReturnType<typeof sessionRepository>;
