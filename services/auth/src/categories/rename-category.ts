import { notFound } from '@shop/core/errors';
import type { AuthContext } from '../service';
import { updateCategoryName } from './categories.sql';

/** Needs no cache invalidation: cached responses name a product's category by its id only. */
export async function renameCategory(ctx: AuthContext, id: number, name: string): Promise<void> {
  if (!(await updateCategoryName(ctx.db, id, name))) throw notFound();
}
