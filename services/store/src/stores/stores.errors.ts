import { defineError } from '@shop/core/errors';

export const storeHasOrders = defineError(
  'conflict',
  'store_has_transactions',
  'A store with transactions cannot be deleted.',
);
