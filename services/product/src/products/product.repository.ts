import {
  centsFromDecimal,
  centsToDecimal,
  centsToNumber,
  containsPattern,
  type List,
  limitOffset,
  onMissingParent,
  repository,
  type Sql,
  type SqlValue,
  uploadUrl,
} from '@shop/core';
import { categoryNotFound, storeNotFound } from './product.errors';
import type { CatalogProduct, NewProduct, ProductChanges, ProductQuery } from './product.schemas';

interface ProductRow {
  id: number;
  store_id: number;
  category_id: number | null;
  name: string;
  description: string;
  price: string;
  stock: number;
  image: string | null;
  created_at: Date;
  store_name: string;
}

/** A product and what its service has to know of it beyond what it shows. */
export interface OwnedProduct {
  product: CatalogProduct;
  ownerId: number;
  image: string | null;
}

const toProduct = (row: ProductRow): CatalogProduct => ({
  id: row.id,
  store_id: row.store_id,
  category_id: row.category_id,
  name: row.name,
  description: row.description,
  price: centsToNumber(centsFromDecimal(row.price)),
  stock: row.stock,
  image_url: row.image === null ? null : uploadUrl(row.image),
  created_at: row.created_at.toISOString(),
  store: { id: row.store_id, name: row.store_name },
});

/** Every statement on products. It reads stores (whose they are), which belong to the store service. */
export const productRepository = repository('product', (sql: Sql) => ({
  async insert(values: Omit<NewProduct, 'store_id'>, storeId: number, image: string | null): Promise<number> {
    const insert = sql.write(
      `INSERT INTO products (store_id, category_id, name, description, price, stock, image)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [storeId, values.category_id, values.name, values.description, centsToDecimal(values.price), values.stock, image],
    );
    const missing = { products_category: categoryNotFound, products_store: storeNotFound };
    return (await onMissingParent(insert, missing)).insertId;
  },

  async findById(id: number): Promise<OwnedProduct | undefined> {
    const [row] = await sql.rows<ProductRow & { user_id: number }>(
      `SELECT p.id, p.store_id, p.category_id, p.name, p.description, p.price, p.stock, p.image, p.created_at,
              s.name AS store_name, s.user_id
       FROM products p JOIN stores s ON s.id = p.store_id WHERE p.id = ?`,
      [id],
    );
    return row && { product: toProduct(row), ownerId: row.user_id, image: row.image };
  },

  /** @param ownerId undefined: everybody's */
  async list(ownerId: number | undefined, query: ProductQuery): Promise<List<CatalogProduct>> {
    const filter = listFilter(ownerId, query);
    const rows = await sql.rows<ProductRow>(
      `SELECT p.id, p.store_id, p.category_id, p.name, p.description, p.price, p.stock, p.image, p.created_at,
              s.name AS store_name
       FROM products p JOIN stores s ON s.id = p.store_id
       WHERE (? IS NULL OR s.user_id = ?) AND (? IS NULL OR p.store_id = ?) AND (? IS NULL OR p.category_id = ?)
         AND (? IS NULL OR p.price >= ?) AND (? IS NULL OR p.price <= ?)
         AND (? IS NULL OR LOWER(p.name) LIKE LOWER(?) COLLATE utf8mb4_bin
              OR LOWER(p.description) LIKE LOWER(?) COLLATE utf8mb4_bin)
       ORDER BY p.created_at DESC, p.id DESC LIMIT ? OFFSET ?`,
      [...filter, ...limitOffset(query)],
    );
    const [count] = await sql.rows<{ total: number }>(
      `SELECT COUNT(*) AS total
       FROM products p JOIN stores s ON s.id = p.store_id
       WHERE (? IS NULL OR s.user_id = ?) AND (? IS NULL OR p.store_id = ?) AND (? IS NULL OR p.category_id = ?)
         AND (? IS NULL OR p.price >= ?) AND (? IS NULL OR p.price <= ?)
         AND (? IS NULL OR LOWER(p.name) LIKE LOWER(?) COLLATE utf8mb4_bin
              OR LOWER(p.description) LIKE LOWER(?) COLLATE utf8mb4_bin)`,
      filter,
    );
    return { rows: rows.map(toProduct), total: Number(count?.total ?? 0) };
  },

  /** @returns what is left now; the row is locked until the end of the transaction */
  async lockStock(id: number): Promise<number | undefined> {
    const [row] = await sql.rows<{ stock: number }>('SELECT stock FROM products WHERE id = ? FOR UPDATE', [id]);
    return row?.stock;
  },

  /** Every change of a stock has its row here, written in the same database transaction. */
  async recordStock(productId: number, reason: 'initial' | 'edit', quantity: number): Promise<void> {
    await sql.write('INSERT INTO stock_movements (product_id, reason, quantity) VALUES (?, ?, ?)', [
      productId,
      reason,
      quantity,
    ]);
  },

  /** Changes what is present. @returns whether it exists */
  async update(id: number, { name, description, price, stock, category_id }: ProductChanges): Promise<boolean> {
    const update = sql.write(
      `UPDATE products SET name = COALESCE(?, name), description = COALESCE(?, description),
         price = COALESCE(?, price), stock = COALESCE(?, stock), category_id = IF(?, ?, category_id)
       WHERE id = ?`,
      [
        name ?? null,
        description ?? null,
        price === undefined ? null : centsToDecimal(price),
        stock ?? null,
        category_id !== undefined,
        category_id ?? null,
        id,
      ],
    );
    return (await onMissingParent(update, { products_category: categoryNotFound })).affectedRows > 0;
  },

  /** @returns whether it existed */
  async delete(id: number): Promise<boolean> {
    return (await sql.write('DELETE FROM products WHERE id = ?', [id])).affectedRows > 0;
  },

  async findStoreOwner(storeId: number): Promise<number | undefined> {
    const [row] = await sql.rows<{ user_id: number }>('SELECT user_id FROM stores WHERE id = ?', [storeId]);
    return row?.user_id;
  },

  async findOldestStore(ownerId: number): Promise<number | undefined> {
    const [row] = await sql.rows<{ id: number }>(
      'SELECT id FROM stores WHERE user_id = ? ORDER BY created_at, id LIMIT 1',
      [ownerId],
    );
    return row?.id;
  },
}));

/** The values of the list's WHERE, in its order; each filter is asked twice or more: whether it is set, and what it is. */
function listFilter(ownerId: number | undefined, query: ProductQuery): SqlValue[] {
  const owner = ownerId ?? null;
  const store = query.store_id ?? null;
  const category = query.category_id ?? null;
  const min = query.min_price === undefined ? null : centsToDecimal(query.min_price);
  const max = query.max_price === undefined ? null : centsToDecimal(query.max_price);
  const pattern = query.search ? containsPattern(query.search) : null;
  return [owner, owner, store, store, category, category, min, min, max, max, pattern, pattern, pattern];
}

export type ProductRepository = ReturnType<typeof productRepository>;

/** Hands `work` the repository on one connection, in one database transaction; a deadlock runs `work` again. */
export type InTransaction = <T>(work: (products: ProductRepository) => Promise<T>) => Promise<T>;
