import type { List } from '@shop/core/db';
import {
  type Column,
  type Condition,
  decimal,
  emptyList,
  int,
  nullable,
  oneOf,
  ownedIds,
  type RowOf,
  type Sql,
  selectList,
  statement,
  text,
  textOf,
  timestamp,
  when,
} from '@shop/core/db';
import { centsFromDecimal, centsToDecimal, centsToNumber } from '@shop/shop';
import { type Order, type OrderQuery, orderStatus, type ProductLog } from './orders.schemas';

/* Reads orders, and the seller from the store service's table stores. */

/** A price or total as the API sends it. */
const amount: Column<number> = { ...decimal, decode: (value: string) => centsToNumber(centsFromDecimal(value)) };

const orderColumns = {
  id: int,
  user_id: int,
  store_id: int,
  address_id: nullable(int),
  ship_label: text,
  ship_address: text,
  ship_city: text,
  ship_postal_code: text,
  total: amount,
  status: textOf(orderStatus.options),
  created_at: timestamp,
};

function toOrder(row: RowOf<typeof orderColumns>): Order {
  const { id, user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code } = row;
  const shipping_address = { label: ship_label, address: ship_address, city: ship_city, postal_code: ship_postal_code };
  const { total, status, created_at } = row;
  return { id, user_id, store_id, address_id, shipping_address, total, status, created_at };
}

const orderWithLineColumns = {
  ...orderColumns,
  seller_id: int,
  line_id: nullable(int),
  product_id: nullable(int),
  product_name: nullable(text),
  product_price: nullable(amount),
  quantity: nullable(int),
  ordered_at: nullable(timestamp),
};

const FIND_ORDER = statement(
  'order.findById',
  orderWithLineColumns,
  `SELECT t.id, t.user_id, t.store_id, t.address_id, t.ship_label, t.ship_address, t.ship_city, t.ship_postal_code,
          t.total, t.status, t.created_at, s.user_id AS seller_id,
          l.id AS line_id, l.product_id, l.product_name, l.product_price, l.quantity, l.created_at AS ordered_at
   FROM transactions t JOIN stores s ON s.id = t.store_id LEFT JOIN product_logs l ON l.transaction_id = t.id
   WHERE t.id = :id ORDER BY l.id`,
);

export interface FoundOrder {
  order: Order;
  lines: ProductLog[];
  /** The owner of its store. */
  sellerId: number;
}

export async function findOrder(sql: Sql, id: number): Promise<FoundOrder | undefined> {
  const rows = await sql.rows(FIND_ORDER, { id });
  const [first] = rows;
  return first && { order: toOrder(first), lines: rows.flatMap(toLine), sellerId: first.seller_id };
}

/** Returns nothing for the row of an order without lines, which the checkout does not create. */
function toLine(row: RowOf<typeof orderWithLineColumns>): ProductLog | [] {
  const { id: transaction_id, line_id: id, product_id, product_name, product_price, quantity, ordered_at } = row;
  if (id === null || product_id === null || product_name === null) return [];
  if (product_price === null || quantity === null || ordered_at === null) return [];
  return { id, transaction_id, product_id, product_name, product_price, quantity, created_at: ordered_at };
}

/** The products of an order, their store and its owner. */
export interface SoldProducts {
  productIds: number[];
  storeId: number;
  ownerId: number;
}

const FIND_SOLD_PRODUCTS = statement(
  'order.findTouched',
  { productId: int, storeId: int, ownerId: int },
  `SELECT l.product_id AS productId, t.store_id AS storeId, s.user_id AS ownerId
   FROM transactions t JOIN stores s ON s.id = t.store_id JOIN product_logs l ON l.transaction_id = t.id
   WHERE t.id = :orderId`,
);

/** @returns undefined if there is no such order */
export async function findSoldProducts(sql: Sql, orderId: number): Promise<SoldProducts | undefined> {
  const rows = await sql.rows(FIND_SOLD_PRODUCTS, { orderId });
  const [first] = rows;
  if (!first) return undefined;
  return { productIds: rows.map(({ productId }) => productId), storeId: first.storeId, ownerId: first.ownerId };
}

/** @param party a buyer, the owner of stores, or empty for all orders */
export async function listOrdersOf(
  sql: Sql,
  party: { buyerId?: number; sellerId?: number },
  query: OrderQuery,
): Promise<List<Order>> {
  const { status, min_total, max_total } = query;
  const storeIds = await ownedIds(sql, 'stores', party.sellerId, query.store_id);
  if (storeIds?.length === 0) return emptyList(query);
  const ofBuyer = when('user_id = :buyerId', { buyerId: party.buyerId });
  const inStores = storeIds && oneOf('store_id', storeIds);
  const withStatus = when('status = :status', { status });
  const source = {
    name: 'order.list',
    columns: orderColumns,
    select: `transactions.id, user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total,
             status, created_at`,
    table: 'transactions',
    where: [
      ofBuyer,
      inStores,
      withStatus,
      when('total >= :minTotal', { minTotal: min_total === undefined ? undefined : centsToDecimal(min_total) }),
      when('total <= :maxTotal', { maxTotal: max_total === undefined ? undefined : centsToDecimal(max_total) }),
    ],
    ...listIndex(),
    tableIndex: 'transactions_newest',
  };
  const list = await selectList(sql, source, query);
  return { ...list, rows: list.rows.map(toOrder) };

  function listIndex(): { index: string; indexed?: Condition | undefined } {
    if (ofBuyer) return { index: 'transactions_user', indexed: ofBuyer };
    if (storeIds?.length === 1) return { index: 'transactions_store', indexed: inStores };
    return withStatus ? { index: 'transactions_status', indexed: withStatus } : { index: 'transactions_newest' };
  }
}
