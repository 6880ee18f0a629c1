import { bigint, int, nullable, type RowOf, type Sql, statement, text } from '@shop/core/db';
import { cents } from '@shop/shop';

/*
 * Also reads the product service's table products. Each row comes from a single statement, so it is a consistent snapshot.
 */

const accountColumns = {
  productId: int,
  name: text,
  stock: bigint,
  initial: bigint,
  edits: bigint,
  cancelled: bigint,
  sold: bigint,
};

/** A product's stock and its recorded movements, summed by kind. */
export type StockAccount = RowOf<typeof accountColumns>;

const LIST_ACCOUNTS = statement(
  'ledger.listAccounts',
  accountColumns,
  `SELECT p.id AS productId, p.name, p.stock,
          (SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE product_id = p.id AND reason = 'initial') AS initial,
          (SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE product_id = p.id AND reason = 'edit') AS edits,
          (SELECT COALESCE(SUM(quantity), 0) FROM stock_movements
           WHERE product_id = p.id AND reason = 'cancellation') AS cancelled,
          (SELECT COALESCE(SUM(quantity), 0) FROM product_logs WHERE product_id = p.id) AS sold
   FROM products p WHERE p.id > :afterId ORDER BY p.id LIMIT :limit`,
);

/** @returns the accounts of at most `limit` products with ids over `afterId`, in id order */
export async function listAccounts(sql: Sql, afterId: number, limit: number): Promise<StockAccount[]> {
  return await sql.rows(LIST_ACCOUNTS, { afterId, limit });
}

const restockFaultColumns = { transactionId: int, productId: int, status: text, quantity: bigint, restocked: bigint };

/** An order line that was restocked although its order is not cancelled, or not restocked although it is. */
export type RestockFault = RowOf<typeof restockFaultColumns>;

const LIST_RESTOCK_FAULTS = statement(
  'ledger.listRestockFaults',
  restockFaultColumns,
  `SELECT t.id AS transactionId, l.product_id AS productId, t.status, l.quantity, COALESCE(m.quantity, 0) AS restocked
   FROM transactions t
   JOIN product_logs l ON l.transaction_id = t.id
   JOIN products p ON p.id = l.product_id
   LEFT JOIN stock_movements m ON m.transaction_id = t.id AND m.product_id = l.product_id
   WHERE t.id BETWEEN :fromId AND :toId AND COALESCE(m.quantity, 0) <> IF(t.status = 'cancelled', l.quantity, 0)
   ORDER BY t.id, l.id`,
);

/** Only products that still exist: a product deleted before the cancellation has no stock to restore. */
export async function listRestockFaults(sql: Sql, fromId: number, toId: number): Promise<RestockFault[]> {
  return await sql.rows(LIST_RESTOCK_FAULTS, { fromId, toId });
}

const totalFaultColumns = { transactionId: int, total: cents, lineTotal: cents };

/** An order whose total is not the sum of its lines, in cents. */
export type TotalFault = RowOf<typeof totalFaultColumns>;

const LIST_TOTAL_FAULTS = statement(
  'ledger.listTotalFaults',
  totalFaultColumns,
  `SELECT t.id AS transactionId, t.total, COALESCE(SUM(l.product_price * l.quantity), 0) AS lineTotal
   FROM transactions t LEFT JOIN product_logs l ON l.transaction_id = t.id
   WHERE t.id BETWEEN :fromId AND :toId
   GROUP BY t.id, t.total HAVING lineTotal <> t.total
   ORDER BY t.id`,
);

export async function listTotalFaults(sql: Sql, fromId: number, toId: number): Promise<TotalFault[]> {
  return await sql.rows(LIST_TOTAL_FAULTS, { fromId, toId });
}

const FIND_LAST_ORDER_ID = statement(
  'ledger.lastTransactionId',
  { last: nullable(int) },
  'SELECT MAX(id) AS last FROM transactions',
);

/** @returns 0 if there is no order */
export async function lastOrderId(sql: Sql): Promise<number> {
  return (await sql.row(FIND_LAST_ORDER_ID))?.last ?? 0;
}
