import {
  changesOf,
  id,
  idString,
  inOrder,
  integerString,
  nameText,
  pageQuery,
  searchText,
  text,
  timestamp,
} from '@shop/core/http';
import { amount, price, priceString } from '@shop/shop';
import { z } from 'zod';

const MAX_STOCK = 2_147_483_647;

const description = text(0, 10_000);
const stock = z.int().min(0).max(MAX_STOCK);

export const product = z
  .object({
    id,
    store_id: id,
    category_id: id.nullable(),
    name: z.string(),
    description: z.string(),
    price: amount,
    stock: z.int(),
    image_url: z.string().nullable(),
    created_at: timestamp,
  })
  .meta({ id: 'Product' });

/** As buyers see it. */
export const catalogProduct = product
  .extend({ store: z.object({ id, name: z.string() }) })
  .meta({ id: 'CatalogProduct' });

export type CatalogProduct = z.input<typeof catalogProduct>;

export const newProduct = z.strictObject({
  name: nameText,
  price,
  description: description.default(''),
  stock: stock.default(0),
  category_id: id.nullable().default(null),
  store_id: id.optional().meta({ description: "By default the user's oldest store" }),
});

export type NewProduct = z.output<typeof newProduct>;

/** The same fields in a form, where every value is a string. */
export const newProductForm = z.strictObject({
  name: nameText,
  price: priceString,
  description: description.default(''),
  stock: integerString(0, MAX_STOCK).default(0),
  category_id: idString.nullable().default(null),
  store_id: idString.optional(),
});

export const productChanges = changesOf({
  name: nameText,
  description,
  price,
  stock,
  category_id: id.nullable().meta({ description: 'null removes the product from its category' }),
});

export type ProductChanges = z.output<typeof productChanges>;

export const productQuery = z
  .object({
    ...pageQuery,
    search: searchText.optional(),
    category_id: idString.optional(),
    min_price: priceString.optional(),
    max_price: priceString.optional(),
    store_id: idString.optional(),
  })
  .refine(...inOrder('min_price', 'max_price'));

export type ProductQuery = z.output<typeof productQuery>;
