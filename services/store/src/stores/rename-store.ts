import type { Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import { cacheScope } from '@shop/shop';
import type { StoreContext } from '../service';
import { getStore } from './get-store';
import { updateStoreName } from './stores.sql';

export async function renameStore(ctx: StoreContext, caller: Caller, id: number, name: string): Promise<void> {
  await getStore(ctx, caller, id);
  if (!(await updateStoreName(ctx.db, id, name))) throw notFound();
  // Any cached response about a product can contain the name of its store.
  await ctx.cache.invalidate([cacheScope.everything]);
}
