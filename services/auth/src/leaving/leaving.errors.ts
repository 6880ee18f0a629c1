import { defineError } from '@shop/core/errors';

export const storeHasOpenOrders = defineError(
  'conflict',
  'store_has_open_orders',
  'A store of this account has orders that are pending, paid or shipped. Complete or cancel them first.',
);
