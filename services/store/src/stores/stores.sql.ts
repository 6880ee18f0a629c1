import { invalidAccessToken } from '@shop/core/auth';
import {
  contains,
  int,
  type List,
  nullable,
  onMissingParent,
  onReferenced,
  type Sql,
  selectList,
  statement,
  text,
  timestamp,
  when,
} from '@shop/core/db';
import { foldText } from '@shop/core/text';
import { storeHasOrders } from './stores.errors';
import type { Store, StoreQuery } from './stores.schemas';

/*
 * Table stores. To delete a store it also reads the product service's table products (for the images to delete) and the
 * transaction service's table transactions. The foreign key deletes a store's products with it.
 */

const storeColumns = { id: int, user_id: int, name: text, created_at: timestamp };

const INSERT_STORE = statement(
  'store.insert',
  'INSERT INTO stores (user_id, name, name_folded) VALUES (:userId, :name, :nameFolded)',
);

/** @returns the new id */
export async function insertStore(sql: Sql, userId: number, name: string): Promise<number> {
  const insert = sql.write(INSERT_STORE, { userId, name, nameFolded: foldText(name) });
  // An access token can outlive its user.
  const { insertId } = await onMissingParent(insert, { stores_user: invalidAccessToken });
  return insertId;
}

const FIND_STORE = statement(
  'store.findById',
  storeColumns,
  'SELECT id, user_id, name, created_at FROM stores WHERE id = :id',
);

export async function findStore(sql: Sql, id: number): Promise<Store | undefined> {
  return await sql.row(FIND_STORE, { id });
}

/** @param userId undefined: the stores of all users */
export async function listStores(sql: Sql, userId: number | undefined, query: StoreQuery): Promise<List<Store>> {
  const ofUser = when('user_id = :userId', { userId });
  const source = {
    name: 'store.list',
    columns: storeColumns,
    select: 'stores.id, user_id, name, created_at',
    table: 'stores',
    where: [ofUser, contains(['name_folded'], query.search)],
    index: ofUser ? 'stores_owner_newest' : 'stores_newest',
    indexed: ofUser,
    tableIndex: 'stores_newest',
  };
  return await selectList(sql, source, query);
}

const UPDATE_STORE_NAME = statement(
  'store.updateName',
  `UPDATE stores SET name = :name, name_folded = :nameFolded
   WHERE id = :id AND user_id = COALESCE(:ownerId, user_id)`,
);

/** @param ownerId null: of any user @returns whether the owner has the store */
export async function updateStoreName(sql: Sql, id: number, ownerId: number | null, name: string): Promise<boolean> {
  const { affectedRows } = await sql.write(UPDATE_STORE_NAME, { id, ownerId, name, nameFolded: foldText(name) });
  return affectedRows === 1;
}

const FIND_ORDER_OF_STORE = statement(
  'store.hasTransactions',
  { id: int },
  'SELECT id FROM transactions WHERE store_id = :id LIMIT 1',
);

export async function hasOrders(sql: Sql, id: number): Promise<boolean> {
  return (await sql.row(FIND_ORDER_OF_STORE, { id })) !== undefined;
}

const LIST_PRODUCT_IDS = statement('store.listProductIds', { id: int }, 'SELECT id FROM products WHERE store_id = :id');

export async function listProductIds(sql: Sql, id: number): Promise<number[]> {
  return (await sql.rows(LIST_PRODUCT_IDS, { id })).map((product) => product.id);
}

const LOCK_STORE = statement('store.lock', { id: int }, 'SELECT id FROM stores WHERE id = :id FOR UPDATE');

/** Locks the store until the end of the database transaction. @returns whether the store exists */
export async function lockStore(sql: Sql, id: number): Promise<boolean> {
  return (await sql.row(LOCK_STORE, { id })) !== undefined;
}

const LIST_PRODUCT_IMAGES = statement(
  'store.listProductImages',
  { image: nullable(text) },
  'SELECT image FROM products WHERE store_id = :id AND image IS NOT NULL',
);

/** @returns stored names */
export async function listProductImages(sql: Sql, id: number): Promise<string[]> {
  return (await sql.rows(LIST_PRODUCT_IMAGES, { id })).flatMap(({ image }) => image ?? []);
}

const DELETE_STORE = statement('store.delete', 'DELETE FROM stores WHERE id = :id');

export async function deleteStoreRow(sql: Sql, id: number): Promise<void> {
  await onReferenced(sql.write(DELETE_STORE, { id }), { transactions_store: storeHasOrders });
}
