import {
  changesOf,
  failWith,
  id,
  idListString,
  idString,
  inOrder,
  integerString,
  type ListQuery,
  nameText,
  pageQuery,
  searchText,
  sortBy,
  text,
  timestamp,
} from '@shop/core/http';
import { amount, price, priceString } from '@shop/shop';
import { z } from 'zod';

export const MAX_STOCK = 2_147_483_647;

/** What the fields mean, and an example of each, for JSON and forms alike. */
const meanings = {
  name: { description: 'The name', examples: ['Blue mug'] },
  description: { description: 'The description', examples: ['Holds 300 ml'] },
  price: { description: 'The price, with at most 2 decimals', examples: [12.5] },
  stock: { description: 'How many are in stock', examples: [10] },
};

const name = nameText.meta(meanings.name);
const description = text(0, 10_000).meta(meanings.description);
const stock = z.int().min(0).max(MAX_STOCK).meta(meanings.stock);
const example = { name: 'Blue mug', price: 12.5, description: 'Holds 300 ml', stock: 10 };

export const product = z
  .object({
    id: id.meta({ description: 'The id of the product' }),
    store_id: id.meta({ description: 'The store that sells it' }),
    category_id: id.nullable().meta({ description: 'Its category; null: none', examples: [1] }),
    name: z.string().meta(meanings.name),
    description: z.string().meta(meanings.description),
    price: amount.meta(meanings.price),
    stock: z.int().meta(meanings.stock),
    image_url: z
      .string()
      .nullable()
      .meta({
        description: 'The path of the image; null: none',
        examples: ['/uploads/1_0b8f7c1e.png'],
      }),
    created_at: timestamp.meta({ description: 'When it was added' }),
  })
  .meta({ id: 'Product', description: 'A product, as its seller sees it' });

export type Product = z.input<typeof product>;

/** As buyers see it. */
export const catalogProduct = product
  .extend({
    store: z
      .object({
        id: id.meta({ description: 'The id of the store' }),
        name: z.string().meta({ description: 'The name of the store', examples: ["Ada's Store"] }),
      })
      .meta({ id: 'SellingStore', description: 'The store that sells it' }),
  })
  .meta({ id: 'CatalogProduct', description: 'A product, as buyers see it' });

export type CatalogProduct = z.input<typeof catalogProduct>;

export const newProduct = z
  .strictObject({
    name,
    price: price.meta(meanings.price),
    description: description.default(''),
    stock: stock.default(0),
    category_id: id
      .nullable()
      .default(null)
      .meta({ description: 'Its category; null: none', examples: [1] }),
    store_id: id.optional().meta({ description: "The store that sells it. Default: the user's oldest store" }),
  })
  .meta({ id: 'NewProduct', description: 'A product to add to a store', examples: [example] });

export type NewProduct = z.output<typeof newProduct>;

/** The same fields in a form, where every value is a string. */
export const newProductForm = z.strictObject({
  name,
  price: priceString.meta(meanings.price),
  description: description.default(''),
  stock: integerString(0, MAX_STOCK).default(0).meta(meanings.stock),
  category_id: z
    .preprocess((value) => (value === '' ? null : value), idString.nullable())
    .default(null)
    .meta({ description: 'Its category; empty: none' }),
  store_id: idString.optional().meta({ description: "The store that sells it. Default: the user's oldest store" }),
});

export const productChanges = changesOf({
  name,
  description,
  price: price.meta(meanings.price),
  stock,
  category_id: id.nullable().meta({ description: 'null removes the product from its category', examples: [1] }),
}).meta({
  id: 'ProductChanges',
  description: 'The fields to change, at least one',
  examples: [{ price: 11.5, stock: 25 }],
});

export type ProductChanges = z.output<typeof productChanges>;

export const stockChange = z
  .strictObject({
    change: z
      .int()
      .refine((value) => value !== 0, failWith('invalid_value', 'must not be 0'))
      .meta({ not: { const: 0 }, description: 'Added to the stock; negative: taken from it', examples: [-3] }),
    note: text(0, 255)
      .optional()
      .meta({ description: 'Kept with the stock movement', examples: ['Broken in transit'] }),
  })
  .meta({
    id: 'StockChange',
    description: 'A change of the stock',
    examples: [{ change: -3, note: 'Broken in transit' }],
  });

export type StockChange = z.output<typeof stockChange>;

export const stockLevel = z
  .object({
    stock: z.int().meta({ description: 'The stock after the change', examples: [7] }),
  })
  .meta({ id: 'StockLevel', description: 'What is in stock' });

const filters = {
  search: searchText.optional().meta({
    description: 'A part of the name, or words that begin words of the name or the description, in any case',
    examples: ['blue'],
  }),
  category_id: idString.optional().meta({ description: 'Only products of this category' }),
  min_price: priceString.optional().meta({ description: 'Only products that cost at least this', examples: [5] }),
  max_price: priceString.optional().meta({ description: 'Only products that cost at most this', examples: [19.99] }),
  store_id: idString.optional().meta({ description: 'Only products of this store' }),
};

const pricesInOrder = inOrder('min_price', 'max_price');

export const productQuery = z.object({ ...pageQuery, ...filters }).refine(...pricesInOrder);

export const catalogQuery = z
  .object({
    ...pageQuery,
    ...filters,
    in_stock: z
      .enum(['true', 'false'])
      .transform((value) => value === 'true')
      .optional()
      .meta({
        description: 'true: only products that can be ordered; false: only those that are sold out',
        examples: ['true'],
      }),
    ids: idListString(100)
      .optional()
      .meta({ description: 'Only these products: up to 100 ids, separated by commas', examples: ['3,14,15'] }),
    sort: sortBy(
      'created_at',
      ['price', 'name'],
      'the best matches of `search` first, the newest of equally good ones first. Best is a name that is the text, then one that ' +
        'begins with it, then one with all its words, then one that contains it, then the rest. Newest first without `search`, ' +
        'or if very many products match',
    ),
  })
  .refine(...pricesInOrder);

export type CatalogQuery = ListQuery<typeof catalogQuery>;

/** The catalog can be filtered and sorted in more ways than the list of a seller's products. */
export type ProductQuery = ListQuery<typeof productQuery> & Partial<CatalogQuery>;
