import {
  amountColumn,
  type Condition,
  containsPattern,
  emptyList,
  int,
  type List,
  nullable,
  oneOf,
  onMissingParent,
  ownedIds,
  padded,
  type RowOf,
  type Sql,
  selectList,
  statement,
  text,
  textColumn,
  timeColumn,
  timestamp,
  when,
} from '@shop/core/db';
import { foldedWords, foldText, wordColumn } from '@shop/core/text';
import { cents, centsToDecimal, centsToNumber, uploadUrl } from '@shop/shop';
import { categoryNotFound, storeNotFound } from './products.errors';
import type { CatalogProduct, NewProduct, ProductChanges, ProductQuery } from './products.schemas';

/*
 * Tables products and stock_movements. Also reads a store's name and owner from the store service's table stores.
 */

/** A product with the fields that use cases need and the API does not show. */
export interface OwnedProduct extends CatalogProduct {
  ownerId: number;
  /** The stored name of its image. */
  image: string | null;
}

const productColumns = {
  id: int,
  store_id: int,
  category_id: nullable(int),
  name: text,
  description: text,
  price: cents,
  stock: int,
  image: nullable(text),
  created_at: timestamp,
  storeName: text,
  ownerId: int,
};

const toProduct = ({ storeName, ...row }: RowOf<typeof productColumns>): OwnedProduct => ({
  ...row,
  price: centsToNumber(row.price),
  image_url: row.image === null ? null : uploadUrl(row.image),
  store: { id: row.store_id, name: storeName },
});

const FIND_PRODUCT = statement(
  'product.findById',
  productColumns,
  `SELECT p.id, p.store_id, p.category_id, p.name, p.description, p.price, p.stock, p.image, p.created_at,
          s.name AS storeName, s.user_id AS ownerId
   FROM products p JOIN stores s ON s.id = p.store_id WHERE p.id = :id`,
);

export async function findProduct(sql: Sql, id: number): Promise<OwnedProduct | undefined> {
  const row = await sql.row(FIND_PRODUCT, { id });
  return row && toProduct(row);
}

/** @param ownerId undefined: the products of all stores */
export async function listProducts(
  sql: Sql,
  ownerId: number | undefined,
  query: ProductQuery,
): Promise<List<CatalogProduct>> {
  const { category_id: categoryId, min_price, max_price, in_stock, ids, sort } = query;
  const storeIds = await ownedIds(sql, 'stores', ownerId, query.store_id);
  if (storeIds?.length === 0) return emptyList(query);
  const by = sort?.by ?? 'created_at';
  const source = {
    name: 'product.list',
    columns: productColumns,
    select: `products.id, store_id, category_id, products.name, description, price, stock, image, products.created_at,
             stores.name AS storeName, stores.user_id AS ownerId`,
    table: 'products',
    join: 'JOIN stores ON stores.id = store_id',
    where: [
      storeIds && oneOf('store_id', storeIds),
      when('category_id = :categoryId', { categoryId }),
      when('price >= :minPrice', { minPrice: decimalOf(min_price) }),
      when('price <= :maxPrice', { maxPrice: decimalOf(max_price) }),
      in_stock === undefined ? undefined : when(in_stock ? 'stock > 0' : 'stock = 0', {}),
      ids && oneOf('id', ids),
      matches(query.search),
    ],
    order: { column: sortColumns[by], descending: sort?.descending ?? true },
    index: listIndex(by, storeIds, categoryId, in_stock),
    tableIndex: INDEXES[by].all,
  };
  const list = await selectList(sql, source, query);
  return { ...list, rows: list.rows.map(toProduct) };
}

const sortColumns = { created_at: timeColumn('created_at'), price: amountColumn('price'), name: textColumn('name') };

/** The index that returns all products, or those of a category or a store, in an order. */
const INDEXES = {
  created_at: { all: 'products_newest', category: 'products_category_newest', store: 'products_store' },
  price: { all: 'products_by_price', category: 'products_category_price', store: 'products_store_price' },
  name: { all: 'products_by_name', category: 'products_category_name', store: 'products_store_name' },
};

function listIndex(
  by: keyof typeof INDEXES,
  storeIds: number[] | undefined,
  categoryId: number | undefined,
  inStock: boolean | undefined,
): string {
  if (storeIds?.length === 1) return INDEXES[by].store;
  if (categoryId !== undefined) return INDEXES[by].category;
  return inStock === false && by === 'created_at' ? 'products_stock' : INDEXES[by].all;
}

/** Matches if the name contains the search text, or each searched word begins a word of the name or description. */
function matches(search: string | undefined): Condition | undefined {
  if (!search) return undefined;
  const inName = { text: 'name_folded LIKE :inName', values: { inName: containsPattern(foldText(search)) } };
  const searched = foldedWords(search);
  if (searched.length === 0) return inName;
  // Pads with repeated words, so that there are few distinct statements.
  const words = padded(searched);
  const everyWord = words.map((_, index) => `(name_words LIKE :word${index} OR description_words LIKE :word${index})`);
  const patterns = Object.fromEntries(words.map((word, index) => [`word${index}`, `% ${word}%`]));
  return { text: `(${inName.text} OR (${everyWord.join(' AND ')}))`, values: { ...inName.values, ...patterns } };
}

const INSERT_PRODUCT = statement(
  'product.insert',
  `INSERT INTO products
     (store_id, category_id, name, name_folded, name_words, description, description_words, price, stock, image)
   VALUES
     (:storeId, :categoryId, :name, :nameFolded, :nameWords, :description, :descriptionWords, :price, :stock, :image)`,
);

/** @returns the new id */
export async function insertProduct(
  sql: Sql,
  product: Omit<NewProduct, 'store_id'>,
  storeId: number,
  image: string | null,
): Promise<number> {
  const insert = sql.write(INSERT_PRODUCT, { ...columnValues(product), storeId, image });
  const missing = { products_category: categoryNotFound, products_store: storeNotFound };
  return (await onMissingParent(insert, missing)).insertId;
}

const UPDATE_PRODUCT = statement(
  'product.update',
  `UPDATE products
   SET name = COALESCE(:name, name), name_folded = COALESCE(:nameFolded, name_folded),
       name_words = COALESCE(:nameWords, name_words),
       description = COALESCE(:description, description),
       description_words = COALESCE(:descriptionWords, description_words),
       price = COALESCE(:price, price), stock = COALESCE(:stock, stock),
       category_id = IF(:setsCategory, :categoryId, category_id)
   WHERE id = :id`,
);

/** Updates the given fields. @returns whether the product exists */
export async function updateProduct(sql: Sql, id: number, changes: ProductChanges): Promise<boolean> {
  const setsCategory = changes.category_id !== undefined;
  const update = sql.write(UPDATE_PRODUCT, { ...columnValues(changes), setsCategory, id });
  return (await onMissingParent(update, { products_category: categoryNotFound })).affectedRows > 0;
}

/** A missing field becomes null, which keeps the stored value. */
const columnValues = ({ name, description, price, stock, category_id }: ProductChanges) => ({
  name: name ?? null,
  nameFolded: name === undefined ? null : foldText(name),
  nameWords: name === undefined ? null : wordColumn(name),
  description: description ?? null,
  descriptionWords: description === undefined ? null : wordColumn(description),
  price: decimalOf(price) ?? null,
  stock: stock ?? null,
  categoryId: category_id ?? null,
});

const decimalOf = (amount: bigint | undefined) => (amount === undefined ? undefined : centsToDecimal(amount));

const lockedProductColumns = { storeId: int, ownerId: int, stock: int, image: nullable(text) };

const LOCK_PRODUCT = statement(
  'product.lock',
  lockedProductColumns,
  `SELECT p.store_id AS storeId, (SELECT s.user_id FROM stores s WHERE s.id = p.store_id) AS ownerId, p.stock, p.image
   FROM products p WHERE p.id = :id FOR UPDATE`,
);

/** Locks the product until the end of the database transaction. */
export async function lockProduct(sql: Sql, id: number): Promise<RowOf<typeof lockedProductColumns> | undefined> {
  return await sql.row(LOCK_PRODUCT, { id });
}

const UPDATE_STOCK = statement('product.updateStock', 'UPDATE products SET stock = :stock WHERE id = :id');

/** Needs a locked product. */
export async function updateStock(sql: Sql, id: number, stock: number): Promise<void> {
  await sql.write(UPDATE_STOCK, { id, stock });
}

const UPDATE_IMAGE = statement('product.updateImage', 'UPDATE products SET image = :image WHERE id = :id');

/** @param image a stored name */
export async function updateImage(sql: Sql, id: number, image: string | null): Promise<void> {
  await sql.write(UPDATE_IMAGE, { id, image });
}

const INSERT_STOCK_MOVEMENT = statement(
  'product.recordStock',
  'INSERT INTO stock_movements (product_id, reason, quantity, note) VALUES (:productId, :reason, :quantity, :note)',
);

/** Must run in the database transaction that changes the stock. */
export async function insertStockMovement(
  sql: Sql,
  movement: { productId: number; reason: 'initial' | 'edit'; quantity: number; note: string | null },
): Promise<void> {
  await sql.write(INSERT_STOCK_MOVEMENT, movement);
}

const DELETE_PRODUCT = statement('product.delete', 'DELETE FROM products WHERE id = :id');

export async function deleteProductRow(sql: Sql, id: number): Promise<void> {
  await sql.write(DELETE_PRODUCT, { id });
}

const storeColumns = { id: int, ownerId: int };

const FIND_STORE = statement(
  'product.findStoreOwner',
  storeColumns,
  'SELECT id, user_id AS ownerId FROM stores WHERE id = :id',
);

export async function findStore(sql: Sql, id: number): Promise<RowOf<typeof storeColumns> | undefined> {
  return await sql.row(FIND_STORE, { id });
}

const FIND_OLDEST_STORE = statement(
  'product.findOldestStore',
  storeColumns,
  'SELECT id, user_id AS ownerId FROM stores WHERE user_id = :ownerId ORDER BY created_at, id LIMIT 1',
);

export async function findOldestStore(sql: Sql, ownerId: number): Promise<RowOf<typeof storeColumns> | undefined> {
  return await sql.row(FIND_OLDEST_STORE, { ownerId });
}
