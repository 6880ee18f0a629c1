import { defineError } from '@shop/core/errors';

export const categoryExists = defineError(
  'conflict',
  'category_exists',
  'There is a category with this name already, whatever its case.',
);
