import { defineError } from '@shop/core/errors';
import { amount, demanded } from '@shop/shop';

export const emailNotVerified = defineError(
  'forbidden',
  'email_not_verified',
  'Confirm your email address before you order.',
  {
    when: 'The shop takes orders only from accounts with a verified email address, and yours is not verified.',
    action:
      'Open the link in the mail that you got when you registered. `POST /api/v1/auth/verify-email/resend` sends another one.',
  },
);
export const addressNotFound = defineError('not_found', 'address_not_found', 'You have no such address.', {
  when: 'The `address_id` of an order does not exist or is not yours.',
  action: 'Use one of `GET /api/v1/addresses`, or create one first.',
});
export const productNotFound = defineError('not_found', 'product_not_found', 'There is no such product.', {
  when: 'An order names a product that does not exist or was deleted. `products` says which: 0 are available.',
  action: 'Remove it from the basket, and order the others.',
  example: { members: { products: [{ product_id: 42, requested: 1, available: 0 }] } },
  ...demanded,
});
export const mixedStores = defineError(
  'unprocessable',
  'mixed_stores',
  'All products of one transaction must belong to the same store.',
  {
    when: 'The items of an order are from several stores.',
    action: 'Place one order for each store. `store_id` of a product says which one it is from.',
    example: {
      members: {
        products: [
          { product_id: 42, requested: 1, available: 5 },
          { product_id: 57, requested: 2, available: 9 },
        ],
      },
    },
    ...demanded,
  },
);
export const totalChanged = defineError(
  'conflict',
  'total_changed',
  'The total is not the expected one: a price has changed. Nothing was ordered.',
  {
    when: 'The order has an `expected_total`, and the products cost another sum now.',
    action: 'Show the buyer the new `total`, and order again with it as `expected_total`.',
    example: { members: { total: 24.5 } },
    members: {
      total: amount.optional().meta({ description: 'In `total_changed`: the current total', examples: [24.5] }),
    },
  },
);
export const totalTooLarge = defineError('unprocessable', 'total_too_large', 'The total exceeds 9999999999.99.', {
  when: 'The sum of all items exceeds the largest amount of money that can be stored.',
  action: 'Order less at a time.',
});
/** The column is an INT. */
export const MAX_LINE_QUANTITY = 2_147_483_647;
export const quantityTooLarge = defineError(
  'unprocessable',
  'quantity_too_large',
  `The total quantity of one product exceeds ${MAX_LINE_QUANTITY}.`,
  {
    when: 'The items of an order name a product several times, and the quantities together exceed the maximum.',
    action: 'Order less at a time.',
    example: { members: { products: [{ product_id: 42, requested: 4_000_000_000, available: 5 }] } },
    ...demanded,
  },
);
