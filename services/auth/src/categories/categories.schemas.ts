import { id, nameText, pageQuery, searchText, timestamp } from '@shop/core/http';
import { z } from 'zod';

export const category = z.object({ id, name: z.string(), created_at: timestamp }).meta({ id: 'Category' });

export type Category = z.input<typeof category>;

export const categoryName = z.strictObject({ name: nameText });

export const categoryQuery = z.object({ ...pageQuery, search: searchText.optional() });

export type CategoryQuery = z.output<typeof categoryQuery>;
