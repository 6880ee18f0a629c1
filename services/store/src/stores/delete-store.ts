import { type AnswerCache, type Caller, cacheScope } from '@shop/core';
import { showStore } from './show-store';
import type { StoreRepository } from './store.repository';

interface Parts {
  stores: Pick<StoreRepository, 'findById' | 'delete'>;
  cache: AnswerCache;
}

/** Its products go with it. @throws AppError `store_has_transactions` and what showStore throws */
export const deleteStore = ({ stores, cache }: Parts) => {
  const show = showStore({ stores });
  return async (caller: Caller, id: number): Promise<void> => {
    await show(caller, id);
    await stores.delete(id);
    await cache.invalidate([cacheScope.everything]);
  };
};
