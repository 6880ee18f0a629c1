import { type AnswerCache, type Caller, cacheScope, type Storage } from '@shop/core';
import { showStore } from './show-store';
import type { StoreRepository } from './store.repository';

interface Parts {
  stores: Pick<StoreRepository, 'findById'>;
  storage: Pick<Storage, 'discard'>;
  cache: AnswerCache;
  inTransaction: <T>(
    work: (stores: Pick<StoreRepository, 'lock' | 'listProductImages' | 'delete'>) => Promise<T>,
  ) => Promise<T>;
}

/** Its products go with it, and their images after them. @throws AppError `store_has_transactions` and what showStore throws */
export const deleteStore = ({ stores, storage, cache, inTransaction }: Parts) => {
  const show = showStore({ stores });
  return async (caller: Caller, id: number): Promise<void> => {
    await show(caller, id);
    const images = await inTransaction(async (locked) => {
      // A product cannot join a locked store, so the list is complete.
      await locked.lock(id);
      const found = await locked.listProductImages(id);
      await locked.delete(id);
      return found;
    });
    await cache.invalidate([cacheScope.everything]);
    await storage.discard(images);
  };
};
