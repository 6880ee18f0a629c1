import { containsPattern, type List, limitOffset, onDuplicateKey, repository, type Sql } from '@shop/core';
import { categoryExists } from './category.errors';
import type { Category, CategoryQuery } from './category.schemas';

interface CategoryRow {
  id: number;
  name: string;
  created_at: Date;
}

const toCategory = (row: CategoryRow): Category => ({ ...row, created_at: row.created_at.toISOString() });

/** What may exist only once: the name, whatever its case. */
const nameKey = (name: string): string => name.toLowerCase();

const taken = { categories_name_key: categoryExists };

/** Every statement on categories. Deleting one takes it off its products (foreign key). */
export const categoryRepository = repository('category', (sql: Sql) => ({
  /** @throws AppError `category_exists` */
  async insert(name: string): Promise<number> {
    const insert = sql.write('INSERT INTO categories (name, name_key) VALUES (?, ?)', [name, nameKey(name)]);
    return (await onDuplicateKey(insert, taken)).insertId;
  },

  async findById(id: number): Promise<Category | undefined> {
    const [row] = await sql.rows<CategoryRow>('SELECT id, name, created_at FROM categories WHERE id = ?', [id]);
    return row && toCategory(row);
  },

  async list(query: CategoryQuery): Promise<List<Category>> {
    const pattern = query.search ? containsPattern(query.search) : null;
    const filter = [pattern, pattern];
    const rows = await sql.rows<CategoryRow>(
      `SELECT id, name, created_at FROM categories WHERE (? IS NULL OR LOWER(name) LIKE LOWER(?) COLLATE utf8mb4_bin)
       ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
      [...filter, ...limitOffset(query)],
    );
    const [count] = await sql.rows<{ total: number }>(
      'SELECT COUNT(*) AS total FROM categories WHERE (? IS NULL OR LOWER(name) LIKE LOWER(?) COLLATE utf8mb4_bin)',
      filter,
    );
    return { rows: rows.map(toCategory), total: Number(count?.total ?? 0) };
  },

  /** @returns false: there is none. @throws AppError `category_exists` */
  async updateName(id: number, name: string): Promise<boolean> {
    const update = sql.write('UPDATE categories SET name = ?, name_key = ? WHERE id = ?', [name, nameKey(name), id]);
    return (await onDuplicateKey(update, taken)).affectedRows === 1;
  },

  /** @returns false: there is none */
  async delete(id: number): Promise<boolean> {
    const { affectedRows } = await sql.write('DELETE FROM categories WHERE id = ?', [id]);
    return affectedRows === 1;
  },
}));

export type CategoryRepository = ReturnType<typeof categoryRepository>;
