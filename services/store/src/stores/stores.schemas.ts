import { id, nameText, pageQuery, searchText, timestamp } from '@shop/core/http';
import { z } from 'zod';

export const store = z.object({ id, user_id: id, name: z.string(), created_at: timestamp }).meta({ id: 'Store' });

export type Store = z.input<typeof store>;

export const storeName = z.strictObject({ name: nameText });

export const storeQuery = z.object({ ...pageQuery, search: searchText.optional() });

export type StoreQuery = z.output<typeof storeQuery>;
