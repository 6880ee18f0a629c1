import { inList, repository, type Sql } from '@shop/core';

export interface NewReset {
  hash: string;
  expiresAt: Date;
}

/** Statements on password_resets: at most one live row for each user. */
export const passwordResetRepository = repository('password_reset', (sql: Sql) => {
  /** Needs the lock on the user's row. */
  async function deleteAll(userId: number): Promise<void> {
    // By key: a DELETE that searches locks the gap where it finds nothing, and the inserts of two users deadlock in it.
    const found = await sql.rows<{ id: number }>('SELECT id FROM password_resets WHERE user_id = ?', [userId]);
    if (found.length === 0) return;
    const { placeholders, values } = inList(found.map(({ id }) => id));
    await sql.write(`DELETE FROM password_resets WHERE id IN (${placeholders})`, values);
  }

  return {
    deleteAll,

    /** In a transaction: requests of one user wait for each other, so that the last one supersedes all others. */
    async replace(userId: number, { hash, expiresAt }: NewReset): Promise<void> {
      await sql.rows('SELECT id FROM users WHERE id = ? FOR UPDATE', [userId]);
      await deleteAll(userId);
      await sql.write('INSERT INTO password_resets (user_id, token_hash, expires_at) VALUES (?, ?, ?)', [
        userId,
        hash,
        expiresAt,
      ]);
    },

    async findLive(hash: string, now: Date): Promise<{ userId: number } | undefined> {
      const [row] = await sql.rows<{ user_id: number }>(
        'SELECT user_id FROM password_resets WHERE token_hash = ? AND spent_at IS NULL AND expires_at > ?',
        [hash, now],
      );
      return row && { userId: row.user_id };
    },

    /** @returns false: spent, superseded or expired meanwhile */
    async updateSpent(hash: string, now: Date): Promise<boolean> {
      const { affectedRows } = await sql.write(
        'UPDATE password_resets SET spent_at = ? WHERE token_hash = ? AND spent_at IS NULL AND expires_at > ?',
        [now, hash, now],
      );
      return affectedRows === 1;
    },
  };
});

export type PasswordResetRepository = ReturnType<typeof passwordResetRepository>;
