import {
  dateTime,
  forUpdate,
  int,
  type LockWait,
  nullable,
  type RowOf,
  type Sql,
  statement,
  textOf,
  timestamp,
} from '@shop/core/db';
import { type OrderStatus, orderStatus, type StatusChange } from './orders.schemas';

/*
 * An order's status and its history. Also reads the store service's table stores; a cancellation updates the product
 * service's table products. All of it runs in the database transaction of the status change.
 */

const status = textOf(orderStatus.options);

const lockedOrderColumns = { status, buyerId: int, storeId: int, sellerId: int };

/** A locked row: unchanged until the end of the database transaction. `sellerId` is the owner of its store. */
export type LockedOrder = RowOf<typeof lockedOrderColumns>;

/** @param wait `nowait` fails if another database transaction has the lock */
export async function lockOrder(sql: Sql, id: number, wait: LockWait): Promise<LockedOrder | undefined> {
  const lock = statement(
    'status.lock',
    lockedOrderColumns,
    `SELECT t.status, t.user_id AS buyerId, t.store_id AS storeId,
            (SELECT s.user_id FROM stores s WHERE s.id = t.store_id) AS sellerId
     FROM transactions t WHERE t.id = :id ${forUpdate(wait)}`,
  );
  return await sql.row(lock, { id });
}

const SET_STATUS = statement('status.change', 'UPDATE transactions SET status = :to WHERE id = :id');

const INSERT_STATUS_CHANGE = statement(
  'status.change',
  `INSERT INTO transaction_status_changes (transaction_id, from_status, to_status, changed_by)
   VALUES (:id, :from, :to, :by)`,
);

/** Changes the status and records who changed it and when. @param change `by` is null for the job */
export async function setStatus(
  sql: Sql,
  change: { id: number; from: OrderStatus; to: OrderStatus; by: number | null },
): Promise<void> {
  await sql.write(SET_STATUS, change);
  await sql.write(INSERT_STATUS_CHANGE, change);
}

const ADD_TO_STOCK = statement(
  'stock.putBack',
  `UPDATE product_logs l FORCE INDEX (product_logs_transaction)
   STRAIGHT_JOIN products p FORCE INDEX (PRIMARY) ON p.id = l.product_id
   SET p.stock = p.stock + l.quantity WHERE l.transaction_id = :orderId`,
);

const INSERT_RESTOCK_MOVEMENTS = statement(
  'stock.putBack',
  `INSERT INTO stock_movements (product_id, transaction_id, reason, quantity)
   SELECT p.id, l.transaction_id, 'cancellation', l.quantity
   FROM product_logs l JOIN products p ON p.id = l.product_id WHERE l.transaction_id = :orderId`,
);

/**
 * Restocks the products of a cancelled order that still exist, and records it. Locks them in id order, as everywhere. The
 * order's row must be locked.
 * @returns the ids of these products
 */
export async function putStockBack(sql: Sql, orderId: number, wait: LockWait): Promise<number[]> {
  const lockProductsOfOrder = statement(
    'stock.putBack',
    { productId: int },
    `SELECT p.id AS productId
     FROM product_logs l FORCE INDEX (product_logs_transaction)
     STRAIGHT_JOIN products p FORCE INDEX (PRIMARY) ON p.id = l.product_id
     WHERE l.transaction_id = :orderId ORDER BY l.id ${forUpdate(wait)}`,
  );
  const products = await sql.rows(lockProductsOfOrder, { orderId });
  await sql.write(ADD_TO_STOCK, { orderId });
  await sql.write(INSERT_RESTOCK_MOVEMENTS, { orderId });
  return products.map(({ productId }) => productId);
}

const LIST_STATUS_CHANGES = statement(
  'status.listChanges',
  { from: status, to: status, changed_by: nullable(int), changed_at: timestamp },
  `SELECT from_status AS 'from', to_status AS 'to', changed_by, created_at AS changed_at
   FROM transaction_status_changes WHERE transaction_id = :orderId ORDER BY id`,
);

/** Oldest first. */
export async function listStatusChanges(sql: Sql, orderId: number): Promise<StatusChange[]> {
  return await sql.rows(LIST_STATUS_CHANGES, { orderId });
}

const unpaidOrderColumns = { id: int, createdAt: dateTime };

export type UnpaidOrder = RowOf<typeof unpaidOrderColumns>;

const LIST_UNPAID_ORDERS = statement(
  'status.listUnpaid',
  unpaidOrderColumns,
  `SELECT id, created_at AS createdAt FROM transactions
   WHERE status = 'pending' AND created_at < NOW(3) - INTERVAL :olderThanMinutes MINUTE
     AND created_at >= :afterTime AND (created_at > :afterTime OR id > :afterId)
   ORDER BY created_at, id LIMIT :limit`,
);

/** @returns at most `limit` orders that come after `after`, oldest first */
export async function listUnpaidOrders(
  sql: Sql,
  olderThanMinutes: number,
  limit: number,
  after: UnpaidOrder = { id: 0, createdAt: new Date(0) },
): Promise<UnpaidOrder[]> {
  return await sql.rows(LIST_UNPAID_ORDERS, { olderThanMinutes, limit, afterTime: after.createdAt, afterId: after.id });
}
