import { defineError } from '@shop/core/errors';

export const noStore = defineError('unprocessable', 'no_store', 'You do not own a store yet. Create one first.');
export const storeNotFound = defineError('unprocessable', 'store_not_found', 'There is no such store.');
export const categoryNotFound = defineError('unprocessable', 'category_not_found', 'There is no such category.');
