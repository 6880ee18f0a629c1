import {
  contains,
  int,
  type List,
  onDuplicateKey,
  type Sql,
  selectList,
  statement,
  text,
  timestamp,
} from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { foldText } from '@shop/core/text';
import { categoryExists } from './categories.errors';
import type { Category, CategoryQuery } from './categories.schemas';

/*
 * Table categories. Also reads the ids of a category's products from the product service's table. Deleting a category
 * clears products.category_id (foreign key).
 */

const categoryColumns = { id: int, name: text, created_at: timestamp };

const nameTaken = { categories_name_key: categoryExists };

const INSERT_CATEGORY = statement(
  'category.insert',
  'INSERT INTO categories (name, name_key) VALUES (:name, :nameKey)',
);

/** @returns the new id */
export async function insertCategory(sql: Sql, name: string): Promise<number> {
  const insert = sql.write(INSERT_CATEGORY, { name, nameKey: foldText(name) });
  return (await onDuplicateKey(insert, nameTaken)).insertId;
}

const GET_CATEGORY = statement(
  'category.findById',
  categoryColumns,
  'SELECT id, name, created_at FROM categories WHERE id = :id',
);

export async function getCategory(sql: Sql, id: number): Promise<Category> {
  const category = await sql.row(GET_CATEGORY, { id });
  if (!category) throw notFound();
  return category;
}

export async function listCategories(sql: Sql, query: CategoryQuery): Promise<List<Category>> {
  const source = {
    name: 'category.list',
    columns: categoryColumns,
    select: 'categories.id, name, created_at',
    table: 'categories',
    where: [contains(['name_key'], query.search)],
    index: 'categories_newest',
    tableIndex: 'categories_newest',
  };
  return await selectList(sql, source, query);
}

const UPDATE_NAME = statement(
  'category.updateName',
  'UPDATE categories SET name = :name, name_key = :nameKey WHERE id = :id',
);

export async function updateCategoryName(sql: Sql, id: number, name: string): Promise<void> {
  const update = sql.write(UPDATE_NAME, { id, name, nameKey: foldText(name) });
  if ((await onDuplicateKey(update, nameTaken)).affectedRows === 0) throw notFound();
}

const LIST_PRODUCT_IDS = statement(
  'category.listProductIds',
  { id: int },
  'SELECT id FROM products WHERE category_id = :id',
);

export async function listProductIds(sql: Sql, id: number): Promise<number[]> {
  return (await sql.rows(LIST_PRODUCT_IDS, { id })).map((product) => product.id);
}

const DELETE_CATEGORY = statement('category.delete', 'DELETE FROM categories WHERE id = :id');

/** @returns whether a row was deleted */
export async function deleteCategoryRow(sql: Sql, id: number): Promise<boolean> {
  return (await sql.write(DELETE_CATEGORY, { id })).affectedRows === 1;
}
