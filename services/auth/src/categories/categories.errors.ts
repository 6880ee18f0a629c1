import { defineError } from '@shop/core/errors';

export const categoryExists = defineError(
  'conflict',
  'category_exists',
  'A category with this name already exists (ignoring case).',
);
