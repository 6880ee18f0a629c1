import { type AnswerCache, type Caller, cacheScope, notFound } from '@shop/core';
import { showStore } from './show-store';
import type { StoreRepository } from './store.repository';

interface Parts {
  stores: Pick<StoreRepository, 'findById' | 'updateName'>;
  cache: AnswerCache;
}

/** Answers about products may show the name of their store: all of them go. */
export const renameStore = ({ stores, cache }: Parts) => {
  const show = showStore({ stores });
  return async (caller: Caller, id: number, name: string): Promise<void> => {
    await show(caller, id);
    if (!(await stores.updateName(id, name))) throw notFound();
    await cache.invalidate([cacheScope.everything]);
  };
};
