import { defineError } from '@shop/core/errors';
import { z } from 'zod';

const demanded = {
  members: {
    products: z
      .array(
        z.object({
          product_id: z.int().meta({ description: 'The product', examples: [1] }),
          requested: z.int().meta({ description: 'How many were ordered', examples: [2] }),
          available: z.int().meta({ description: 'How many there are', examples: [1] }),
        }),
      )
      .optional()
      .meta({
        description:
          'In errors about products: the requested and the available quantity of each (0 if it does not exist)',
        examples: [[{ product_id: 1, requested: 2, available: 1 }]],
      }),
  },
};

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
export const insufficientStock = defineError('conflict', 'insufficient_stock', 'There is not enough stock.', demanded);
export const totalTooLarge = defineError('unprocessable', 'total_too_large', 'The total exceeds 9999999999.99.');
/** The column is an INT. */
export const MAX_LINE_QUANTITY = 2_147_483_647;
export const quantityTooLarge = defineError(
  'unprocessable',
  'quantity_too_large',
  `The total quantity of one product exceeds ${MAX_LINE_QUANTITY}.`,
  demanded,
);
