import {
  type Condition,
  centsFromDecimal,
  centsToDecimal,
  centsToNumber,
  containsPattern,
  foldedWords,
  foldText,
  ifGiven,
  inList,
  type List,
  oneOf,
  onMissingParent,
  ownedIds,
  repository,
  type Sql,
  selectList,
  uploadUrl,
  wordColumn,
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
      `INSERT INTO products
         (store_id, category_id, name, name_folded, name_words, description, description_words, price, stock, image)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        storeId,
        values.category_id,
        ...nameColumns(values.name),
        ...descriptionColumns(values.description),
        centsToDecimal(values.price),
        values.stock,
        image,
      ],
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
    const { category_id, min_price, max_price } = query;
    const stores = await ownedIds(sql, 'stores', ownerId, query.store_id);
    if (stores?.length === 0) return { rows: [], total: 0 };
    const source = {
      table: 'products',
      columns: `products.id, store_id, category_id, products.name, description, price, stock, image, products.created_at,
                stores.name AS store_name`,
      join: 'JOIN stores ON stores.id = store_id',
      where: [
        stores && oneOf('store_id', stores),
        ifGiven('category_id = ?', category_id),
        ifGiven('price >= ?', min_price === undefined ? undefined : centsToDecimal(min_price)),
        ifGiven('price <= ?', max_price === undefined ? undefined : centsToDecimal(max_price)),
        matches(query.search),
      ],
      index: listIndex(stores, category_id),
      newest: 'products_newest',
    };
    return selectList(sql, source, query, toProduct);
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
      `UPDATE products SET name = COALESCE(?, name), name_folded = COALESCE(?, name_folded),
         name_words = COALESCE(?, name_words), description = COALESCE(?, description),
         description_words = COALESCE(?, description_words),
         price = COALESCE(?, price), stock = COALESCE(?, stock), category_id = IF(?, ?, category_id)
       WHERE id = ?`,
      [
        ...(name === undefined ? [null, null, null] : nameColumns(name)),
        ...(description === undefined ? [null, null] : descriptionColumns(description)),
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

/** What is written wherever a name is: name, name_folded, name_words. */
const nameColumns = (name: string): [string, string, string] => [name, foldText(name), wordColumn(name)];

/** description, description_words */
const descriptionColumns = (description: string): [string, string] => [description, wordColumn(description)];

function listIndex(stores: number[] | undefined, categoryId: number | undefined): string {
  if (stores?.length === 1) return 'products_store';
  return categoryId === undefined ? 'products_newest' : 'products_category_newest';
}

/** The search is a part of the name, or each of its words begins a word of the name or the description. */
function matches(search: string | undefined): Condition | undefined {
  if (!search) return undefined;
  const inName = containsPattern(foldText(search));
  // Padded, so that there are few statements.
  const words = inList(foldedWords(search)).values.map((word) => `% ${word}%`);
  if (words.length === 0) return ['name_folded LIKE ?', inName];
  const everyWord = words.map(() => '(name_words LIKE ? OR description_words LIKE ?)').join(' AND ');
  return [`(name_folded LIKE ? OR (${everyWord}))`, inName, ...words.flatMap((word) => [word, word])];
}

export type ProductRepository = ReturnType<typeof productRepository>;

/** Hands `work` the repository on one connection, in one database transaction; a deadlock runs `work` again. */
export type InTransaction = <T>(work: (products: ProductRepository) => Promise<T>) => Promise<T>;
