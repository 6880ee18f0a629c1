import type { Caller, List } from '@shop/core';
import type { StoreRepository } from './store.repository';
import type { Store, StoreQuery } from './store.schemas';

interface Parts {
  stores: Pick<StoreRepository, 'list'>;
}

export const listStores =
  ({ stores }: Parts) =>
  (caller: Caller, query: StoreQuery): Promise<List<Store>> =>
    stores.list(caller.role === 'admin' ? undefined : caller.id, query);
