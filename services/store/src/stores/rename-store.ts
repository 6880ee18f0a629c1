import { type Caller, ownerLimit } from '@shop/core/auth';
import { invalidateIfChanged } from '@shop/core/cache';
import type { Sql } from '@shop/core/db';
import { type IfMatch, writeExisting } from '@shop/core/preconditions';
import { cacheScope } from '@shop/shop';
import type { StoreContext } from '../service';
import { getStore } from './get-store';
import type { Store } from './stores.schemas';
import { updateStoreName } from './stores.sql';

export async function renameStore(
  { db, cache }: StoreContext,
  caller: Caller,
  id: number,
  name: string,
  ifMatch: IfMatch<Store>,
): Promise<void> {
  const find = (sql: Sql) => getStore(sql, caller, id);
  // Any cached response about a product can contain the name of its store.
  const scopes = [cacheScope.everything];
  await invalidateIfChanged(cache, scopes, async function renameUnchanged() {
    await writeExisting(db, ifMatch, { table: 'stores', id, find }, function renameOwn(sql) {
      return updateStoreName(sql, id, ownerLimit(caller), name);
    });
  });
  await cache.invalidate(scopes);
}
