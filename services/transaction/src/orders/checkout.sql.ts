import { int, type RowOf, type Sql, statement, text } from '@shop/core/db';
import { cents, centsToDecimal } from '@shop/shop';
import type { OrderLine } from './orders.schemas';

/*
 * The checkout's statements in execution order. They read other services' tables users, products, stores and addresses, and
 * update the stock in products. All of it runs in the order's database transaction, because an order must not exist
 * without them.
 */

const FIND_VERIFIED = statement(
  'order.hasVerifiedEmail',
  { id: int },
  'SELECT id FROM users WHERE id = :userId AND email_verified_at IS NOT NULL',
);

export async function hasVerifiedEmail(sql: Sql, userId: number): Promise<boolean> {
  return (await sql.row(FIND_VERIFIED, { userId })) !== undefined;
}

const lockedProductColumns = { id: int, storeId: int, ownerId: int, name: text, price: cents, stock: int };

/** A locked row: unchanged until the end of the database transaction. The price is in cents. */
export type LockedProduct = RowOf<typeof lockedProductColumns>;

const LOCK_PRODUCTS = statement(
  'stock.lockProducts',
  lockedProductColumns,
  `SELECT p.id, p.store_id AS storeId, (SELECT s.user_id FROM stores s WHERE s.id = p.store_id) AS ownerId,
          p.name, p.price, p.stock
   FROM products p FORCE INDEX (PRIMARY)
   WHERE p.id IN (:ids)
   ORDER BY p.id
   FOR UPDATE`,
);

/**
 * Locks the rows in id order until the end of the database transaction.
 * @param lines sorted by product id
 * @returns the products that exist, in the same order
 */
export async function lockProducts(sql: Sql, lines: OrderLine[]): Promise<LockedProduct[]> {
  return await sql.rows(LOCK_PRODUCTS, { ids: lines.map(({ productId }) => productId) });
}

const FIND_ADDRESS = statement(
  'stock.ownsAddress',
  { id: int },
  'SELECT id FROM addresses WHERE id = :addressId AND user_id = :userId',
);

export async function hasAddress(sql: Sql, userId: number, addressId: number): Promise<boolean> {
  return (await sql.row(FIND_ADDRESS, { userId, addressId })) !== undefined;
}

const INSERT_ORDER = statement(
  'order.insert',
  `INSERT INTO transactions
     (user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total)
   SELECT a.user_id, :storeId, a.id, a.label, a.address, a.city, a.postal_code, :total
   FROM addresses a WHERE a.id = :addressId AND a.user_id = :buyerId`,
);

/**
 * Copies the buyer's address into the order in the same statement.
 * @param order `total` is in cents
 * @returns the new id; undefined if the buyer has no such address
 */
export async function insertOrder(
  sql: Sql,
  order: { buyerId: number; storeId: number; addressId: number; total: bigint },
): Promise<number | undefined> {
  const { affectedRows, insertId } = await sql.write(INSERT_ORDER, { ...order, total: centsToDecimal(order.total) });
  return affectedRows === 0 ? undefined : insertId;
}

const INSERT_ORDER_LINES = statement(
  'order.insertLogs',
  // quantity is BIGINT: with INT, JSON_TABLE would silently truncate a larger value. The INSERT refuses it.
  `INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity)
   SELECT :orderId, line.product_id, line.product_name, line.product_price, line.quantity
   FROM JSON_TABLE(:lines, '$[*]' COLUMNS (
          product_id BIGINT UNSIGNED PATH '$.productId', product_name VARCHAR(255) CHARACTER SET utf8mb4 PATH '$.name',
          product_price DECIMAL(12, 2) PATH '$.price', quantity BIGINT PATH '$.quantity')) AS line`,
);

/** @param products the locked rows, in the order of `lines` */
export async function insertOrderLines(
  sql: Sql,
  orderId: number,
  lines: OrderLine[],
  products: LockedProduct[],
): Promise<void> {
  const rows = products.map(({ id, name, price }, index) => ({
    productId: id,
    name,
    price: centsToDecimal(price),
    quantity: lines[index]?.quantity,
  }));
  await sql.write(INSERT_ORDER_LINES, { orderId, lines: JSON.stringify(rows) });
}

const TAKE_STOCK = statement(
  'stock.take',
  // JSON_TABLE needs one statement text and one round trip for any number of lines. FORCE INDEX: otherwise the optimizer
  // scans a small table and locks every product in it, in no defined order.
  `UPDATE JSON_TABLE(:lines, '$[*]' COLUMNS (
            product_id BIGINT UNSIGNED PATH '$.productId', quantity BIGINT PATH '$.quantity')) AS line
   STRAIGHT_JOIN products p FORCE INDEX (PRIMARY) ON p.id = line.product_id
   SET p.stock = p.stock - line.quantity
   WHERE p.stock >= line.quantity`,
);

/**
 * Subtracts each line's quantity from the stock if enough is left.
 * @returns the number of lines taken. If it is less than the number given, the database transaction must roll back
 */
export async function takeStock(sql: Sql, lines: OrderLine[]): Promise<number> {
  return (await sql.write(TAKE_STOCK, { lines: JSON.stringify(lines) })).affectedRows;
}
