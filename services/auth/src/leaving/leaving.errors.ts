import { defineError } from '@shop/core/errors';

export const storeHasOpenOrders = defineError(
  'conflict',
  'store_has_open_orders',
  'A store of this account has orders that are pending, paid or shipped. Complete or cancel them first.',
  {
    when: 'You delete your account while one of your stores has orders that are pending, paid or shipped.',
    action:
      'Complete or cancel these orders, then delete the account. `GET /api/v1/transactions?as=seller` lists them.',
  },
);
