import { assertOwnerOrAdmin, type Caller, notFound } from '@shop/core';
import type { StoreContext } from '../service';
import type { Store } from './stores.schemas';
import { findStore } from './stores.sql';

export async function getStore({ db }: Pick<StoreContext, 'db'>, caller: Caller, id: number): Promise<Store> {
  const store = await findStore(db, id);
  if (!store) throw notFound();
  assertOwnerOrAdmin(caller, store.user_id);
  return store;
}
