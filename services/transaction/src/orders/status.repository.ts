import { repository, type Sql } from '@shop/core';
import type { OrderStatus, StatusChange } from './order.schemas';

export interface LockedOrder {
  status: OrderStatus;
  buyerId: number;
  storeId: number;
  /** The owner of its store. */
  sellerId: number;
}

interface ChangeRow {
  from_status: OrderStatus;
  to_status: OrderStatus;
  changed_by: number | null;
  created_at: Date;
}

export const statusRepository = repository('status', (sql: Sql) => ({
  /** Locks the order's row until the end of the transaction. */
  async lock(id: number): Promise<LockedOrder | undefined> {
    const [row] = await sql.rows<{ status: OrderStatus; user_id: number; store_id: number; owner_id: number }>(
      `SELECT t.status, t.user_id, t.store_id, (SELECT s.user_id FROM stores s WHERE s.id = t.store_id) AS owner_id
       FROM transactions t WHERE t.id = ? FOR UPDATE`,
      [id],
    );
    return row && { status: row.status, buyerId: row.user_id, storeId: row.store_id, sellerId: row.owner_id };
  },

  /** Changes the status and records who did, and when. */
  async change({ id, from, to, by }: { id: number; from: OrderStatus; to: OrderStatus; by: number | null }) {
    await sql.write('UPDATE transactions SET status = ? WHERE id = ?', [to, id]);
    await sql.write(
      `INSERT INTO transaction_status_changes (transaction_id, from_status, to_status, changed_by)
       VALUES (?, ?, ?, ?)`,
      [id, from, to, by],
    );
  },

  async listChanges(orderId: number): Promise<StatusChange[]> {
    const rows = await sql.rows<ChangeRow>(
      `SELECT from_status, to_status, changed_by, created_at
       FROM transaction_status_changes WHERE transaction_id = ? ORDER BY id`,
      [orderId],
    );
    return rows.map((row) => ({
      from: row.from_status,
      to: row.to_status,
      changed_by: row.changed_by,
      changed_at: row.created_at.toISOString(),
    }));
  },

  /** @returns ids, oldest first */
  async listUnpaid(olderThanMinutes: number, limit: number): Promise<number[]> {
    const rows = await sql.rows<{ id: number }>(
      `SELECT id FROM transactions
       WHERE status = 'pending' AND created_at < NOW(3) - INTERVAL ? MINUTE
       ORDER BY created_at, id LIMIT ?`,
      [olderThanMinutes, limit],
    );
    return rows.map(({ id }) => id);
  },
}));

export type StatusRepository = ReturnType<typeof statusRepository>;
