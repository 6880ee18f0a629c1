import { defineError } from '@shop/core/errors';

export const categoryExists = defineError(
  'conflict',
  'category_exists',
  'A category with this name already exists (ignoring case).',
  {
    when: 'Another category has the same name. Upper and lower case are the same.',
    action: 'Use the existing category, or choose another name.',
  },
);
