import {
  contains,
  foldText,
  ifGiven,
  type List,
  lockInIdOrder,
  onMissingParent,
  onReferenced,
  repository,
  type Sql,
  selectList,
  unauthenticated,
} from '@shop/core';
import { storeHasTransactions } from './store.errors';
import type { Store, StoreQuery } from './store.schemas';

interface StoreRow {
  id: number;
  user_id: number;
  name: string;
  created_at: Date;
}

const toStore = (row: StoreRow): Store => ({ ...row, created_at: row.created_at.toISOString() });

/**
 * Every statement on stores. Deleting one takes its products along (foreign key); it reads products, which belong to the
 * product service, for the images that have to go with them.
 */
export const storeRepository = repository('store', (sql: Sql) => ({
  async insert(userId: number, name: string): Promise<number> {
    const insert = sql.write('INSERT INTO stores (user_id, name, name_folded) VALUES (?, ?, ?)', [
      userId,
      name,
      foldText(name),
    ]);
    // The token outlived its user.
    return (await onMissingParent(insert, { stores_user: unauthenticated })).insertId;
  },

  async findById(id: number): Promise<Store | undefined> {
    const [row] = await sql.rows<StoreRow>('SELECT id, user_id, name, created_at FROM stores WHERE id = ?', [id]);
    return row && toStore(row);
  },

  /** @param userId undefined: everybody's */
  list(userId: number | undefined, query: StoreQuery): Promise<List<Store>> {
    const source = {
      table: 'stores',
      columns: 'stores.id, user_id, name, created_at',
      where: [ifGiven('user_id = ?', userId), contains(['name_folded'], query.search)],
      index: userId === undefined ? 'stores_newest' : 'stores_owner_newest',
      newest: 'stores_newest',
    };
    return selectList(sql, source, query, toStore);
  },

  /** @returns false: there is none */
  async updateName(id: number, name: string): Promise<boolean> {
    const update = sql.write('UPDATE stores SET name = ?, name_folded = ? WHERE id = ?', [name, foldText(name), id]);
    return (await update).affectedRows === 1;
  },

  /** Reads transactions, which belong to the transaction service. */
  async hasTransactions(id: number): Promise<boolean> {
    return (await sql.rows('SELECT 1 FROM transactions WHERE store_id = ? LIMIT 1', [id])).length > 0;
  },

  async listProductIds(id: number): Promise<number[]> {
    const rows = await sql.rows<{ id: number }>('SELECT id FROM products WHERE store_id = ?', [id]);
    return rows.map((row) => row.id);
  },

  async lockProducts(ids: number[]): Promise<void> {
    await lockInIdOrder(sql, 'products', ids);
  },

  /** @returns false: there is none */
  async lock(id: number): Promise<boolean> {
    return (await sql.rows('SELECT id FROM stores WHERE id = ? FOR UPDATE', [id])).length > 0;
  },

  async listProductImages(id: number): Promise<string[]> {
    const rows = await sql.rows<{ image: string }>(
      'SELECT image FROM products WHERE store_id = ? AND image IS NOT NULL',
      [id],
    );
    return rows.map(({ image }) => image);
  },

  async delete(id: number): Promise<void> {
    await onReferenced(sql.write('DELETE FROM stores WHERE id = ?', [id]), {
      transactions_store: storeHasTransactions,
    });
  },
}));

export type StoreRepository = ReturnType<typeof storeRepository>;
