import { defineError } from '@shop/core/errors';
import { MAX_STOCK } from './products.schemas';

export const noStore = defineError('unprocessable', 'no_store', 'You do not own a store yet. Create one first.');
export const storeNotFound = defineError('unprocessable', 'store_not_found', 'There is no such store.');
export const stockTooLarge = defineError('unprocessable', 'stock_too_large', `The stock exceeds ${MAX_STOCK}.`);
export const categoryNotFound = defineError('unprocessable', 'category_not_found', 'There is no such category.');
