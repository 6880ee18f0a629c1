import { defineError } from '@shop/core/errors';

export const storeHasOrders = defineError(
  'conflict',
  'store_has_transactions',
  'A store with transactions cannot be deleted.',
  {
    when: 'You delete a store that has orders. They are kept, so the store is kept, too.',
    action: 'Keep the store. You can rename it and delete its products.',
  },
);
