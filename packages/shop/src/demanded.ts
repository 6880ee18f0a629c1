import { defineError } from '@shop/core/errors';
import { z } from 'zod';

/** The data of errors about products. */
export const demanded = {
  members: {
    products: z
      .array(
        z.object({
          product_id: z.int().meta({ description: 'The product', examples: [1] }),
          requested: z.int().meta({ description: 'How many were ordered, or were to be taken', examples: [2] }),
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

export const insufficientStock = defineError('conflict', 'insufficient_stock', 'There is not enough stock.', {
  when: 'There are fewer units of a product than you want to order or to take from its stock. `products` says how many are available. Nothing has changed.',
  action: 'Ask for at most the available quantity.',
  example: { members: { products: [{ product_id: 42, requested: 3, available: 1 }] } },
  ...demanded,
});
