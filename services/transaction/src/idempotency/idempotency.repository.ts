import { repository, type Sql } from '@shop/core';
import { idempotencyKeyReused, KEY_LIFETIME_HOURS, type KeyedRequest } from './idempotency-key';

interface KeyRow {
  request_hash: string;
  transaction_id: number | null;
  expired: number;
}

export const idempotencyRepository = repository('idempotency', (sql: Sql) => ({
  /**
   * Takes the key for this database transaction. Its primary key makes a twin wait here until the first one has committed
   * or rolled back, so this must be the first statement: before any other lock.
   * @returns the id of the transaction that was made with this key before; undefined: the key is ours now
   * @throws AppError `idempotency_key_reused`
   */
  async claim({ userId, route, key, hash }: KeyedRequest): Promise<number | undefined> {
    // 1 row: inserted, 2: it was there and counts a replay. A plain INSERT would take a shared lock on the duplicate, and
    // twins that wait for it would deadlock when the first rolls back.
    const { affectedRows } = await sql.write(
      `INSERT INTO idempotency_keys (user_id, route, idempotency_key, request_hash) VALUES (?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE replays = replays + 1`,
      [userId, route, key, hash],
    );
    if (affectedRows === 1) return undefined;
    const [row] = await sql.rows<KeyRow>(
      `SELECT request_hash, transaction_id, created_at < NOW(3) - INTERVAL ${KEY_LIFETIME_HOURS} HOUR AS expired
       FROM idempotency_keys WHERE user_id = ? AND route = ? AND idempotency_key = ?`,
      [userId, route, key],
    );
    if (Number(row?.expired)) {
      await sql.write(
        `UPDATE idempotency_keys SET request_hash = ?, transaction_id = NULL, replays = 0, created_at = NOW(3)
         WHERE user_id = ? AND route = ? AND idempotency_key = ?`,
        [hash, userId, route, key],
      );
      return undefined;
    }
    if (row?.request_hash !== hash) throw idempotencyKeyReused();
    return row.transaction_id ?? undefined;
  },

  /** Joins the claimed key to what was made with it. */
  async settle({ userId, route, key }: KeyedRequest, transactionId: number): Promise<void> {
    await sql.write(
      'UPDATE idempotency_keys SET transaction_id = ? WHERE user_id = ? AND route = ? AND idempotency_key = ?',
      [transactionId, userId, route, key],
    );
  },

  /** @returns how many of them went: at most `limit` */
  async deleteExpired(limit: number): Promise<number> {
    const { affectedRows } = await sql.write(
      `DELETE FROM idempotency_keys WHERE created_at < NOW(3) - INTERVAL ${KEY_LIFETIME_HOURS} HOUR
       ORDER BY created_at LIMIT ?`,
      [limit],
    );
    return affectedRows;
  },
}));

export type IdempotencyRepository = ReturnType<typeof idempotencyRepository>;
