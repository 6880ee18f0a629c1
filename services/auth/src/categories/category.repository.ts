import {
  contains,
  foldText,
  type List,
  lockInIdOrder,
  onDuplicateKey,
  repository,
  type Sql,
  selectList,
} from '@shop/core';
import { categoryExists } from './category.errors';
import type { Category, CategoryQuery } from './category.schemas';

interface CategoryRow {
  id: number;
  name: string;
  created_at: Date;
}

const toCategory = (row: CategoryRow): Category => ({ ...row, created_at: row.created_at.toISOString() });

const taken = { categories_name_key: categoryExists };

/** Every statement on categories. Deleting one takes it off its products (foreign key). */
export const categoryRepository = repository('category', (sql: Sql) => ({
  /** @throws AppError `category_exists` */
  async insert(name: string): Promise<number> {
    const insert = sql.write('INSERT INTO categories (name, name_key) VALUES (?, ?)', [name, foldText(name)]);
    return (await onDuplicateKey(insert, taken)).insertId;
  },

  async findById(id: number): Promise<Category | undefined> {
    const [row] = await sql.rows<CategoryRow>('SELECT id, name, created_at FROM categories WHERE id = ?', [id]);
    return row && toCategory(row);
  },

  list(query: CategoryQuery): Promise<List<Category>> {
    const source = {
      table: 'categories',
      columns: 'categories.id, name, created_at',
      where: [contains(['name_key'], query.search)],
      index: 'categories_newest',
      newest: 'categories_newest',
    };
    return selectList(sql, source, query, toCategory);
  },

  /** @returns false: there is none. @throws AppError `category_exists` */
  async updateName(id: number, name: string): Promise<boolean> {
    const update = sql.write('UPDATE categories SET name = ?, name_key = ? WHERE id = ?', [name, foldText(name), id]);
    return (await onDuplicateKey(update, taken)).affectedRows === 1;
  },

  /** Those in it; they belong to the product service. */
  async listProductIds(id: number): Promise<number[]> {
    const rows = await sql.rows<{ id: number }>('SELECT id FROM products WHERE category_id = ?', [id]);
    return rows.map((row) => row.id);
  },

  async lockProducts(ids: number[]): Promise<void> {
    await lockInIdOrder(sql, 'products', ids);
  },

  /** @returns false: there is none */
  async delete(id: number): Promise<boolean> {
    const { affectedRows } = await sql.write('DELETE FROM categories WHERE id = ?', [id]);
    return affectedRows === 1;
  },
}));

export type CategoryRepository = ReturnType<typeof categoryRepository>;
