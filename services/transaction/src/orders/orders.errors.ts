import { defineError } from '@shop/core/errors';
import { amount, demanded } from '@shop/shop';

export const emailNotVerified = defineError(
  'forbidden',
  'email_not_verified',
  'Confirm your email address before you order.',
);
export const addressNotFound = defineError('not_found', 'address_not_found', 'You have no such address.');
export const productNotFound = defineError('not_found', 'product_not_found', 'There is no such product.', demanded);
export const mixedStores = defineError(
  'unprocessable',
  'mixed_stores',
  'All products of one transaction must belong to the same store.',
  demanded,
);
export const totalChanged = defineError(
  'conflict',
  'total_changed',
  'The total is not the expected one: a price has changed. Nothing was ordered.',
  {
    members: {
      total: amount.optional().meta({ description: 'In `total_changed`: the current total', examples: [24.5] }),
    },
  },
);
export const totalTooLarge = defineError('unprocessable', 'total_too_large', 'The total exceeds 9999999999.99.');
/** The column is an INT. */
export const MAX_LINE_QUANTITY = 2_147_483_647;
export const quantityTooLarge = defineError(
  'unprocessable',
  'quantity_too_large',
  `The total quantity of one product exceeds ${MAX_LINE_QUANTITY}.`,
  demanded,
);
