import { centsFromDecimal, repository, type Sql } from '@shop/core';

/** How a product's stock came to be, as its rows say. */
export interface StockAccount {
  productId: number;
  name: string;
  stock: bigint;
  initial: bigint;
  edits: bigint;
  cancelled: bigint;
  sold: bigint;
}

/** A line of an order whose stock went back although it was not cancelled, or did not although it was. */
export interface RestockFault {
  transactionId: number;
  productId: number;
  status: string;
  quantity: bigint;
  restocked: bigint;
}

/** An order whose total is not the sum of its lines, in cents. */
export interface TotalFault {
  transactionId: number;
  total: bigint;
  lines: bigint;
}

interface AccountRow {
  id: number;
  name: string;
  stock: string;
  initial: string;
  edits: string;
  cancelled: string;
  sold: string;
}

interface FaultRow {
  transaction_id: number;
  product_id: number;
  status: string;
  quantity: string;
  restocked: string;
}

interface TotalRow {
  id: number;
  total: string;
  line_total: string;
}

/** Reads products (of the product service) too. Each row comes from one statement: from one moment. */
export const ledgerRepository = repository('ledger', (sql: Sql) => ({
  /** @returns the accounts of at most `limit` products with ids over `afterId`, in id order */
  async listAccounts(afterId: number, limit: number): Promise<StockAccount[]> {
    const rows = await sql.rows<AccountRow>(
      `SELECT p.id, p.name, p.stock,
              (SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE product_id = p.id AND reason = 'initial') AS initial,
              (SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE product_id = p.id AND reason = 'edit') AS edits,
              (SELECT COALESCE(SUM(quantity), 0) FROM stock_movements
               WHERE product_id = p.id AND reason = 'cancellation') AS cancelled,
              (SELECT COALESCE(SUM(quantity), 0) FROM product_logs WHERE product_id = p.id) AS sold
       FROM products p WHERE p.id > ? ORDER BY p.id LIMIT ?`,
      [afterId, limit],
    );
    return rows.map(({ id, name, stock, initial, edits, cancelled, sold }) => ({
      productId: id,
      name,
      stock: BigInt(stock),
      initial: BigInt(initial),
      edits: BigInt(edits),
      cancelled: BigInt(cancelled),
      sold: BigInt(sold),
    }));
  },

  /** Only of products that still exist: what was deleted before a cancellation has no stock to go back to. */
  async listRestockFaults(fromId: number, toId: number): Promise<RestockFault[]> {
    const rows = await sql.rows<FaultRow>(
      `SELECT t.id AS transaction_id, l.product_id, t.status, l.quantity, COALESCE(m.quantity, 0) AS restocked
       FROM transactions t
       JOIN product_logs l ON l.transaction_id = t.id
       JOIN products p ON p.id = l.product_id
       LEFT JOIN stock_movements m ON m.transaction_id = t.id AND m.product_id = l.product_id
       WHERE t.id BETWEEN ? AND ? AND COALESCE(m.quantity, 0) <> IF(t.status = 'cancelled', l.quantity, 0)
       ORDER BY t.id, l.id`,
      [fromId, toId],
    );
    return rows.map(({ transaction_id, product_id, status, quantity, restocked }) => ({
      transactionId: transaction_id,
      productId: product_id,
      status,
      quantity: BigInt(quantity),
      restocked: BigInt(restocked),
    }));
  },

  async listTotalFaults(fromId: number, toId: number): Promise<TotalFault[]> {
    const rows = await sql.rows<TotalRow>(
      `SELECT t.id, t.total, COALESCE(SUM(l.product_price * l.quantity), 0) AS line_total
       FROM transactions t LEFT JOIN product_logs l ON l.transaction_id = t.id
       WHERE t.id BETWEEN ? AND ?
       GROUP BY t.id, t.total HAVING line_total <> t.total
       ORDER BY t.id`,
      [fromId, toId],
    );
    return rows.map(({ id, total, line_total }) => ({
      transactionId: id,
      total: centsFromDecimal(total),
      lines: centsFromDecimal(line_total),
    }));
  },

  async lastTransactionId(): Promise<number> {
    const [row] = await sql.rows<{ last: number | null }>('SELECT MAX(id) AS last FROM transactions');
    return Number(row?.last ?? 0);
  },
}));

export type LedgerRepository = ReturnType<typeof ledgerRepository>;
