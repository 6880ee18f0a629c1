import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { StoreContext } from '../service';
import type { Store } from './stores.schemas';
import { findStore } from './stores.sql';

export async function getStore({ db }: Pick<StoreContext, 'db'>, caller: Caller, id: number): Promise<Store> {
  const store = await findStore(db, id);
  if (!store) throw notFound();
  assertOwnerOrAdmin(caller, store.user_id);
  return store;
}
