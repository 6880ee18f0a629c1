import { id, type ListQuery, nameText, pageQuery, searchText, timestamp } from '@shop/core/http';
import { z } from 'zod';

const naming = { description: 'The name of the store', examples: ["Ada's Store"] };

export const store = z
  .object({
    id: id.meta({ description: 'The id of the store' }),
    user_id: id.meta({ description: 'Whose store it is' }),
    name: z.string().meta(naming),
    created_at: timestamp.meta({ description: 'When it was opened' }),
  })
  .meta({ id: 'Store', description: 'A store of a user' });

export type Store = z.input<typeof store>;

export const storeName = z
  .strictObject({ name: nameText.meta(naming) })
  .meta({ id: 'StoreName', description: 'The name of a store' });

export const storeQuery = z.object({
  ...pageQuery,
  search: searchText.optional().meta({ description: 'A part of the name, in any case', examples: ['ada'] }),
});

export type StoreQuery = ListQuery<typeof storeQuery>;
