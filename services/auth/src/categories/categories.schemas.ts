import { id, type ListQuery, nameText, pageQuery, searchText, timestamp } from '@shop/core/http';
import { z } from 'zod';

const naming = { description: 'The name, unique whatever its case', examples: ['Mugs'] };

export const category = z
  .object({
    id: id.meta({ description: 'The id of the category' }),
    name: z.string().meta(naming),
    created_at: timestamp.meta({ description: 'When it was added' }),
  })
  .meta({ id: 'Category', description: 'What products are sorted into' });

export type Category = z.input<typeof category>;

export const categoryName = z
  .strictObject({ name: nameText.meta(naming) })
  .meta({ id: 'CategoryName', description: 'The name of a category' });

export const categoryQuery = z.object({
  ...pageQuery,
  search: searchText.optional().meta({ description: 'A part of the name, in any case', examples: ['mug'] }),
});

export type CategoryQuery = ListQuery<typeof categoryQuery>;
