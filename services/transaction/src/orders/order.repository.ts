import {
  centsFromDecimal,
  centsToDecimal,
  centsToNumber,
  ifGiven,
  type List,
  oneOf,
  ownedIds,
  repository,
  type Sql,
  selectList,
} from '@shop/core';
import type { Order, OrderLine, OrderQuery, ProductLog } from './order.schemas';
import type { LockedProduct } from './stock.repository';

interface OrderRow {
  id: number;
  user_id: number;
  store_id: number;
  address_id: number | null;
  ship_label: string;
  ship_address: string;
  ship_city: string;
  ship_postal_code: string;
  total: string;
  status: Order['status'];
  created_at: Date;
}

interface LogRow {
  id: number;
  transaction_id: number;
  product_id: number;
  product_name: string;
  product_price: string;
  quantity: number;
  created_at: Date;
}

const toOrder = (row: OrderRow): Order => ({
  id: row.id,
  user_id: row.user_id,
  store_id: row.store_id,
  address_id: row.address_id,
  shipping_address: {
    label: row.ship_label,
    address: row.ship_address,
    city: row.ship_city,
    postal_code: row.ship_postal_code,
  },
  total: centsToNumber(centsFromDecimal(row.total)),
  status: row.status,
  created_at: row.created_at.toISOString(),
});

const toLog = (row: LogRow): ProductLog => ({
  ...row,
  product_price: centsToNumber(centsFromDecimal(row.product_price)),
  created_at: row.created_at.toISOString(),
});

export interface NewOrderRow {
  buyerId: number;
  storeId: number;
  addressId: number;
  /** Cents. */
  total: bigint;
}

export const orderRepository = repository('order', (sql: Sql) => ({
  /**
   * Copies the buyer's address (a table of the address service) into the order in the same statement.
   * @returns undefined: the buyer has no such address
   */
  async insert({ buyerId, storeId, addressId, total }: NewOrderRow): Promise<number | undefined> {
    const { affectedRows, insertId } = await sql.write(
      `INSERT INTO transactions
         (user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total)
       SELECT a.user_id, ?, a.id, a.label, a.address, a.city, a.postal_code, ?
       FROM addresses a WHERE a.id = ? AND a.user_id = ?`,
      [storeId, centsToDecimal(total), addressId, buyerId],
    );
    return affectedRows === 0 ? undefined : insertId;
  },

  /**
   * The quantity is read as BIGINT: JSON_TABLE cuts what does not fit its column without an error, INSERT refuses it.
   * @param products the locked rows, in the order of `lines`
   */
  async insertLogs(orderId: number, lines: OrderLine[], products: LockedProduct[]): Promise<void> {
    const logs = products.map(({ id, name, price }, index) => ({
      productId: id,
      name,
      price: centsToDecimal(price),
      quantity: lines[index]?.quantity,
    }));
    await sql.write(
      `INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity)
       SELECT ?, line.product_id, line.product_name, line.product_price, line.quantity
       FROM JSON_TABLE(?, '$[*]' COLUMNS (
              product_id BIGINT UNSIGNED PATH '$.productId', product_name VARCHAR(255) CHARACTER SET utf8mb4 PATH '$.name',
              product_price DECIMAL(12, 2) PATH '$.price', quantity BIGINT PATH '$.quantity')) AS line`,
      [orderId, JSON.stringify(logs)],
    );
  },

  /** What an order took stock of. @returns undefined: its store is gone */
  async findTouched(id: number): Promise<{ productIds: number[]; storeId: number; ownerId: number } | undefined> {
    const rows = await sql.rows<{ product_id: number; store_id: number; owner_id: number }>(
      `SELECT l.product_id, t.store_id, s.user_id AS owner_id
       FROM transactions t JOIN stores s ON s.id = t.store_id JOIN product_logs l ON l.transaction_id = t.id
       WHERE t.id = ?`,
      [id],
    );
    const [first] = rows;
    return (
      first && {
        productIds: rows.map(({ product_id }) => product_id),
        storeId: first.store_id,
        ownerId: first.owner_id,
      }
    );
  },

  /** @returns it and the owner of its store */
  async findById(id: number): Promise<{ order: Order; sellerId: number } | undefined> {
    const [row] = await sql.rows<OrderRow & { owner_id: number }>(
      `SELECT t.id, t.user_id, t.store_id, t.address_id, t.ship_label, t.ship_address, t.ship_city, t.ship_postal_code,
              t.total, t.status, t.created_at, s.user_id AS owner_id
       FROM transactions t JOIN stores s ON s.id = t.store_id WHERE t.id = ?`,
      [id],
    );
    return row && { order: toOrder(row), sellerId: row.owner_id };
  },

  async listLogs(orderId: number): Promise<ProductLog[]> {
    const rows = await sql.rows<LogRow>(
      `SELECT id, transaction_id, product_id, product_name, product_price, quantity, created_at
       FROM product_logs WHERE transaction_id = ? ORDER BY id`,
      [orderId],
    );
    return rows.map(toLog);
  },

  /** @param whose a buyer's, those of a seller's stores, or everybody's */
  async list(whose: { buyerId?: number; sellerId?: number }, query: OrderQuery): Promise<List<Order>> {
    const { status, min_total, max_total } = query;
    const stores = await ownedIds(sql, 'stores', whose.sellerId, query.store_id);
    if (stores?.length === 0) return { rows: [], total: 0 };
    const source = {
      table: 'transactions',
      columns: `transactions.id, user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total,
                status, created_at`,
      where: [
        ifGiven('user_id = ?', whose.buyerId),
        stores && oneOf('store_id', stores),
        ifGiven('status = ?', status),
        ifGiven('total >= ?', min_total === undefined ? undefined : centsToDecimal(min_total)),
        ifGiven('total <= ?', max_total === undefined ? undefined : centsToDecimal(max_total)),
      ],
      index: listIndex(whose.buyerId, stores, status),
      newest: 'transactions_newest',
    };
    return selectList(sql, source, query, toOrder);
  },
}));

function listIndex(buyerId: number | undefined, stores: number[] | undefined, status: string | undefined): string {
  if (buyerId !== undefined) return 'transactions_user';
  if (stores?.length === 1) return 'transactions_store';
  return status === undefined ? 'transactions_newest' : 'transactions_status';
}

export type OrderRepository = ReturnType<typeof orderRepository>;
