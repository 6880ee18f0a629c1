import type { Caller } from '@shop/core/auth';
import { invalidateIfChanged } from '@shop/core/cache';
import { notFound } from '@shop/core/errors';
import { type IfMatch, writeIfUnchanged } from '@shop/core/preconditions';
import { cacheScope } from '@shop/shop';
import type { StoreContext } from '../service';
import { getStore } from './get-store';
import type { Store } from './stores.schemas';
import { findStore, updateStoreName } from './stores.sql';

export async function renameStore(
  ctx: StoreContext,
  caller: Caller,
  id: number,
  name: string,
  ifMatch: IfMatch<Store>,
): Promise<void> {
  await getStore(ctx, caller, id);
  const store = { table: 'stores', id, find: findStore };
  // Any cached response about a product can contain the name of its store.
  const scopes = [cacheScope.everything];
  const exists = await invalidateIfChanged(ctx.cache, scopes, async function renameUnchanged() {
    return await writeIfUnchanged(ctx.db, ifMatch, store, (sql) => updateStoreName(sql, id, name));
  });
  if (!exists) throw notFound();
  await ctx.cache.invalidate(scopes);
}
