import { defineError } from '@shop/core/errors';
import { MAX_STOCK } from './products.schemas';

export const noStore = defineError('unprocessable', 'no_store', 'You do not own a store yet. Create one first.', {
  when: 'You add a product without a `store_id`, and you own no store.',
  action: 'Create a store with `POST /api/v1/stores`, then add the product.',
});
export const storeNotFound = defineError('unprocessable', 'store_not_found', 'There is no such store.', {
  when: 'You add a product with a `store_id` that does not exist.',
  action: 'Use one of your stores: `GET /api/v1/stores` lists them.',
});
export const stockTooLarge = defineError('unprocessable', 'stock_too_large', `The stock exceeds ${MAX_STOCK}.`, {
  when: 'You add so much to the stock of a product that it would exceed the largest number that can be stored.',
  action: 'Add less.',
});
export const categoryNotFound = defineError('unprocessable', 'category_not_found', 'There is no such category.', {
  when: 'The `category_id` of a product does not exist.',
  action: 'Use one of `GET /api/v1/categories`, or leave it out.',
});
