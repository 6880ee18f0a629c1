import { centsFromDecimal, forUpdate, inList, type LockWait, repository, type Sql } from '@shop/core';
import type { OrderLine } from './order.schemas';

/*
 * Tables of other services: products and stores (product, store) are read and stock is taken, addresses (address) are
 * checked, all inside the checkout's database transaction, because an order must not be able to exist without them.
 */

export interface LockedProduct {
  id: number;
  storeId: number;
  ownerId: number;
  name: string;
  /** Cents. */
  price: bigint;
  stock: number;
}

interface ProductRow {
  id: number;
  store_id: number;
  owner_id: number;
  name: string;
  price: string;
  stock: number;
}

export const stockRepository = repository('stock', (sql: Sql) => ({
  /**
   * Locks the products' rows in id order until the end of the transaction.
   * @param lines sorted by product id
   * @returns what exists of them, in the same order
   */
  async lockProducts(lines: OrderLine[]): Promise<LockedProduct[]> {
    const { placeholders, values } = inList(lines.map(({ productId }) => productId));
    const rows = await sql.rows<ProductRow>(
      `SELECT p.id, p.store_id, (SELECT s.user_id FROM stores s WHERE s.id = p.store_id) AS owner_id,
              p.name, p.price, p.stock
       FROM products p FORCE INDEX (PRIMARY)
       WHERE p.id IN (${placeholders})
       ORDER BY p.id
       FOR UPDATE`,
      values,
    );
    return rows.map(({ id, store_id, owner_id, name, price, stock }) => ({
      id,
      storeId: store_id,
      ownerId: owner_id,
      name,
      price: centsFromDecimal(price),
      stock,
    }));
  },

  async ownsAddress(userId: number, addressId: number): Promise<boolean> {
    const rows = await sql.rows('SELECT 1 FROM addresses WHERE id = ? AND user_id = ?', [addressId, userId]);
    return rows.length > 0;
  },

  /**
   * Takes each line's quantity where the stock suffices at this very moment.
   * One round trip whatever the number of lines: JSON_TABLE keeps one statement text for all of them. By the primary key,
   * or the optimizer scans a small table and locks every product in it, in no order.
   * @returns how many lines were taken: fewer than given means that the transaction must roll back
   */
  async take(lines: OrderLine[]): Promise<number> {
    const { affectedRows } = await sql.write(
      `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
                product_id BIGINT UNSIGNED PATH '$.productId', quantity BIGINT PATH '$.quantity')) AS line
       STRAIGHT_JOIN products p FORCE INDEX (PRIMARY) ON p.id = line.product_id
       SET p.stock = p.stock - line.quantity
       WHERE p.stock >= line.quantity`,
      [JSON.stringify(lines)],
    );
    return affectedRows;
  },

  /**
   * Gives back what a cancelled order took, of the products that still exist, and records it; in id order, as everywhere.
   * The order's row must be locked.
   * @returns the ids of its products
   */
  async putBack(orderId: number, wait: LockWait = 'wait'): Promise<number[]> {
    const lines = await sql.rows<{ product_id: number }>(
      `SELECT p.id AS product_id
       FROM product_logs l FORCE INDEX (product_logs_transaction)
       STRAIGHT_JOIN products p FORCE INDEX (PRIMARY) ON p.id = l.product_id
       WHERE l.transaction_id = ? ORDER BY l.id ${forUpdate(wait)}`,
      [orderId],
    );
    await sql.write(
      `UPDATE product_logs l FORCE INDEX (product_logs_transaction)
       STRAIGHT_JOIN products p FORCE INDEX (PRIMARY) ON p.id = l.product_id
       SET p.stock = p.stock + l.quantity WHERE l.transaction_id = ?`,
      [orderId],
    );
    await sql.write(
      `INSERT INTO stock_movements (product_id, transaction_id, reason, quantity)
       SELECT p.id, l.transaction_id, 'cancellation', l.quantity
       FROM product_logs l JOIN products p ON p.id = l.product_id WHERE l.transaction_id = ?`,
      [orderId],
    );
    return lines.map(({ product_id }) => product_id);
  },
}));

export type StockRepository = ReturnType<typeof stockRepository>;
