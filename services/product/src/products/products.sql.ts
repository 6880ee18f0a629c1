import {
  amountColumn,
  type Condition,
  emptyList,
  flag,
  int,
  type List,
  newestFirst,
  nullable,
  oneOf,
  onMissingParent,
  ownedIds,
  type RowOf,
  type Sql,
  type Statement,
  selectList,
  statement,
  text,
  textColumn,
  timestamp,
  when,
} from '@shop/core/db';
import { foldText, partTerms, wordColumn, wordTerms } from '@shop/core/text';
import { cents, centsToDecimal, centsToNumber, uploadUrl } from '@shop/shop';
import { productSearch, relevance } from './product-search';
import { categoryNotFound, storeNotFound } from './products.errors';
import type { CatalogProduct, NewProduct, ProductChanges, ProductQuery } from './products.schemas';

/*
 * Tables products, product_terms and stock_movements. Also reads a store's name and owner from the store service's table stores.
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
  const { category_id: categoryId, min_price, max_price, in_stock, ids, search } = query;
  const storeIds = await ownedIds(sql, 'stores', ownerId, query.store_id);
  if (storeIds?.length === 0) return emptyList(query);
  const { by, descending } = query.sort ?? { by: 'created_at', descending: true };
  const order = by === 'relevance' ? relevance(search) : { column: sortColumns[by], descending };
  const inStores = storeIds && oneOf('store_id', storeIds);
  const inCategory = when('category_id = :categoryId', { categoryId });
  const byStock = in_stock === undefined ? undefined : when(in_stock ? 'stock > 0' : 'stock = 0', {});
  const source = {
    name: 'product.list',
    columns: productColumns,
    select: `products.id, store_id, category_id, products.name, description, price, stock, image, products.created_at,
             stores.name AS storeName, stores.user_id AS ownerId`,
    table: 'products',
    join: 'JOIN stores FORCE INDEX (PRIMARY) ON stores.id = store_id',
    where: [
      inStores,
      inCategory,
      when('price >= :minPrice', { minPrice: decimalOf(min_price) }),
      when('price <= :maxPrice', { maxPrice: decimalOf(max_price) }),
      byStock,
      ids && oneOf('id', ids),
    ],
    search: search ? productSearch(search) : undefined,
    order,
    ...listIndex(),
  };
  const list = await selectList(sql, source, query);
  return { ...list, rows: list.rows.map(toProduct) };

  function listIndex(): { index: string; indexed?: Condition | undefined; tableIndex?: string } {
    // At most a hundred rows.
    if (ids) return { index: 'PRIMARY' };
    const indexes = INDEXES[by === 'relevance' ? 'created_at' : by];
    const tableIndex = indexes.all;
    if (storeIds?.length === 1) return { index: indexes.store, indexed: inStores, tableIndex };
    if (inCategory) return { index: indexes.category, indexed: inCategory, tableIndex };
    const isSoldOut = in_stock === false && indexes === INDEXES.created_at;
    return isSoldOut ? { index: 'products_stock', indexed: byStock, tableIndex } : { index: tableIndex, tableIndex };
  }
}

const sortColumns = { created_at: newestFirst.column, price: amountColumn('price'), name: textColumn('name') };

/** The index that returns all products, or those of a category or a store, in an order. */
const INDEXES = {
  created_at: { all: 'products_newest', category: 'products_category_newest', store: 'products_store' },
  price: { all: 'products_by_price', category: 'products_category_price', store: 'products_store_price' },
  name: { all: 'products_by_name', category: 'products_category_name', store: 'products_store_name' },
};

const INSERT_PRODUCT = statement(
  'product.insert',
  `INSERT INTO products
     (store_id, category_id, name, name_folded, name_words, description, description_words, terms_checksum, price, stock,
      image, created_at)
   VALUES
     (:storeId, :categoryId, :name, :nameFolded, :nameWords, :description, :descriptionWords,
      CRC32(CONCAT(:nameFolded, :descriptionWords)), :price, :stock, :image, :createdAt)`,
);

/** Must run in a database transaction. @returns the product, without reading it */
export async function insertProduct(
  sql: Sql,
  { name, description, price, stock, category_id }: NewProduct,
  store: SellingStore,
  image: string | null,
): Promise<OwnedProduct> {
  const given = { name, description, price, stock, category_id };
  const values = { ...columnValues(given), storeId: store.id, image, createdAt: new Date(store.now) };
  const missing = { products_category: categoryNotFound, products_store: storeNotFound };
  const { insertId: id } = await onMissingParent(sql.write(INSERT_PRODUCT, values), missing);
  await insertTerms(sql, id, given);
  const { id: store_id, ownerId, name: storeName, now: created_at } = store;
  return toProduct({ id, store_id, ...given, image, created_at, storeName, ownerId });
}

/** As JSON, so that one prepared statement takes any number of terms. */
const TERMS = `JSON_TABLE(:terms, '$[*]' COLUMNS (
  field VARCHAR(11) CHARACTER SET utf8mb4 PATH '$[0]', term VARCHAR(10) CHARACTER SET utf8mb4 PATH '$[1]')) AS terms`;

const INSERT_TERMS = statement(
  'product.insertTerms',
  `INSERT INTO product_terms (product_id, field, term) SELECT :id, field, term FROM ${TERMS}`,
);

/** Each by its whole key: a range would also lock the gap to the next product, and neighbours deadlock. */
const DELETE_TERMS = statement(
  'product.deleteTerms',
  `DELETE FROM product_terms USING ${TERMS} STRAIGHT_JOIN product_terms
     ON product_terms.product_id = :id AND product_terms.field = terms.field COLLATE utf8mb4_unicode_ci
     AND product_terms.term = terms.term COLLATE utf8mb4_bin`,
);

type Texts = Pick<ProductChanges, 'name' | 'description'>;

async function insertTerms(sql: Sql, id: number, texts: Texts): Promise<void> {
  await writeTerms(sql, INSERT_TERMS, id, termsOf(texts));
}

/** @param before only the texts that change */
async function replaceTerms(sql: Sql, id: number, before: Texts, after: Texts): Promise<void> {
  const [old, current] = [termsOf(before), termsOf(after)];
  await writeTerms(sql, DELETE_TERMS, id, without(old, current));
  await writeTerms(sql, INSERT_TERMS, id, without(current, old));
}

const termsOf = ({ name, description }: Texts): string[] => [
  ...(name === undefined ? [] : partTerms(name)).map((term) => JSON.stringify(['name', term])),
  ...(description === undefined ? [] : wordTerms(description)).map((term) => JSON.stringify(['description', term])),
];

function without(terms: readonly string[], others: readonly string[]): string[] {
  const excluded = new Set(others);
  return terms.filter((term) => !excluded.has(term));
}

async function writeTerms(sql: Sql, write: Statement, id: number, terms: readonly string[]): Promise<void> {
  if (terms.length > 0) await sql.write(write, { id, terms: `[${terms.join()}]` });
}

const textColumns = { name: text, description: text, hasTerms: flag };

const LOCK_TEXTS = statement(
  'product.lockTexts',
  textColumns,
  'SELECT name, description, without_terms IS NULL AS hasTerms FROM products WHERE id = :id FOR UPDATE',
);

const UPDATE_PRODUCT = statement(
  'product.update',
  `UPDATE products
   SET terms_checksum = IF(terms_checksum = CRC32(CONCAT(name_folded, description_words)),
         CRC32(CONCAT(COALESCE(:nameFolded, name_folded), COALESCE(:descriptionWords, description_words))), NULL),
       name = COALESCE(:name, name), name_folded = COALESCE(:nameFolded, name_folded),
       name_words = COALESCE(:nameWords, name_words),
       description = COALESCE(:description, description),
       description_words = COALESCE(:descriptionWords, description_words),
       price = COALESCE(:price, price), stock = COALESCE(:stock, stock),
       category_id = IF(:setsCategory, :categoryId, category_id)
   WHERE id = :id`,
);

/** Updates the given fields. With a name or description, it must run in a database transaction. @returns whether the product exists */
export async function updateProduct(sql: Sql, id: number, changes: ProductChanges): Promise<boolean> {
  const { name, description } = changes;
  if (name !== undefined || description !== undefined) {
    const before = await sql.row(LOCK_TEXTS, { id });
    if (!before) return false;
    const changing = {
      ...(name === undefined ? {} : { name: before.name }),
      ...(description === undefined ? {} : { description: before.description }),
    };
    // Old terms are of another text. The statement below leaves them marked.
    if (before.hasTerms) await replaceTerms(sql, id, changing, { name, description });
  }
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

const DELETE_PRODUCT = statement('product.delete', 'DELETE FROM products WHERE id = :id AND image <=> :image');

/** @param image a stored name @returns whether there was the product with this image */
export async function deleteProductWithImage(sql: Sql, id: number, image: string | null): Promise<boolean> {
  return (await sql.write(DELETE_PRODUCT, { id, image })).affectedRows === 1;
}

const storeColumns = { id: int, ownerId: int, name: text, now: timestamp };

/** The store that a new product is in, and the time of the database. */
export type SellingStore = RowOf<typeof storeColumns>;

const FIND_STORE = statement(
  'product.findStoreOwner',
  storeColumns,
  'SELECT id, user_id AS ownerId, name, CURRENT_TIMESTAMP(3) AS now FROM stores WHERE id = :id',
);

export async function findStore(sql: Sql, id: number): Promise<SellingStore | undefined> {
  return await sql.row(FIND_STORE, { id });
}

const FIND_OLDEST_STORE = statement(
  'product.findOldestStore',
  storeColumns,
  `SELECT id, user_id AS ownerId, name, CURRENT_TIMESTAMP(3) AS now
   FROM stores WHERE user_id = :ownerId ORDER BY created_at, id LIMIT 1`,
);

export async function findOldestStore(sql: Sql, ownerId: number): Promise<SellingStore | undefined> {
  return await sql.row(FIND_OLDEST_STORE, { ownerId });
}
