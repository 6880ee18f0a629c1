import { defineError } from '@shop/core/errors';

export const storeHasOrders = defineError(
  'conflict',
  'store_has_transactions',
  'A store that has transactions cannot be deleted.',
);
