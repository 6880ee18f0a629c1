import {
  containsPattern,
  type List,
  limitOffset,
  onMissingParent,
  onReferenced,
  repository,
  type Sql,
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
    const insert = sql.write('INSERT INTO stores (user_id, name) VALUES (?, ?)', [userId, name]);
    // The token outlived its user.
    return (await onMissingParent(insert, { stores_user: unauthenticated })).insertId;
  },

  async findById(id: number): Promise<Store | undefined> {
    const [row] = await sql.rows<StoreRow>('SELECT id, user_id, name, created_at FROM stores WHERE id = ?', [id]);
    return row && toStore(row);
  },

  /** @param userId undefined: everybody's */
  async list(userId: number | undefined, query: StoreQuery): Promise<List<Store>> {
    const owner = userId ?? null;
    const pattern = query.search ? containsPattern(query.search) : null;
    const filter = [owner, owner, pattern, pattern];
    const rows = await sql.rows<StoreRow>(
      `SELECT id, user_id, name, created_at FROM stores
       WHERE (? IS NULL OR user_id = ?) AND (? IS NULL OR LOWER(name) LIKE LOWER(?) COLLATE utf8mb4_bin)
       ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
      [...filter, ...limitOffset(query)],
    );
    const [count] = await sql.rows<{ total: number }>(
      `SELECT COUNT(*) AS total FROM stores
       WHERE (? IS NULL OR user_id = ?) AND (? IS NULL OR LOWER(name) LIKE LOWER(?) COLLATE utf8mb4_bin)`,
      filter,
    );
    return { rows: rows.map(toStore), total: Number(count?.total ?? 0) };
  },

  async updateName(id: number, name: string): Promise<void> {
    await sql.write('UPDATE stores SET name = ? WHERE id = ?', [name, id]);
  },

  async lock(id: number): Promise<void> {
    await sql.rows('SELECT id FROM stores WHERE id = ? FOR UPDATE', [id]);
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
