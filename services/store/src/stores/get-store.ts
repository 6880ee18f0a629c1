import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import type { Store } from './stores.schemas';
import { findStore } from './stores.sql';

export async function getStore(sql: Sql, caller: Caller, id: number): Promise<Store> {
  const store = await findStore(sql, id);
  if (!store) throw notFound();
  assertOwnerOrAdmin(caller, store.user_id);
  return store;
}
