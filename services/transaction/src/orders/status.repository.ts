import { forUpdate, type LockWait, repository, type Sql } from '@shop/core';
import type { OrderStatus, StatusChange } from './order.schemas';

export interface LockedOrder {
  status: OrderStatus;
  buyerId: number;
  storeId: number;
  /** The owner of its store. */
  sellerId: number;
}

export interface UnpaidOrder {
  id: number;
  createdAt: Date;
}

interface ChangeRow {
  from_status: OrderStatus;
  to_status: OrderStatus;
  changed_by: number | null;
  created_at: Date;
}

export const statusRepository = repository('status', (sql: Sql) => ({
  /** Locks the order's row until the end of the transaction. @param wait NOWAIT fails where another holds the lock */
  async lock(id: number, wait: LockWait = 'wait'): Promise<LockedOrder | undefined> {
    const [row] = await sql.rows<{ status: OrderStatus; user_id: number; store_id: number; owner_id: number }>(
      `SELECT t.status, t.user_id, t.store_id, (SELECT s.user_id FROM stores s WHERE s.id = t.store_id) AS owner_id
       FROM transactions t WHERE t.id = ? ${forUpdate(wait)}`,
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

  /** @returns at most `limit` orders that come after `after`, oldest first */
  async listUnpaid(
    olderThanMinutes: number,
    limit: number,
    after: UnpaidOrder = { id: 0, createdAt: new Date(0) },
  ): Promise<UnpaidOrder[]> {
    const rows = await sql.rows<{ id: number; created_at: Date }>(
      `SELECT id, created_at FROM transactions
       WHERE status = 'pending' AND created_at < NOW(3) - INTERVAL ? MINUTE
         AND created_at >= ? AND (created_at > ? OR id > ?)
       ORDER BY created_at, id LIMIT ?`,
      [olderThanMinutes, after.createdAt, after.createdAt, after.id, limit],
    );
    return rows.map(({ id, created_at }) => ({ id, createdAt: created_at }));
  },
}));

export type StatusRepository = ReturnType<typeof statusRepository>;
