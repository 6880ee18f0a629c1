import { defineError } from '@shop/core';

export const storeHasTransactions = defineError(
  'conflict',
  'store_has_transactions',
  'A store that has transactions cannot be deleted.',
);
