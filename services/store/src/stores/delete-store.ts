import { type AnswerCache, type Caller, cacheScope, invalidateIfGone, notFound, type Storage } from '@shop/core';
import { showStore } from './show-store';
import { storeHasTransactions } from './store.errors';
import type { StoreRepository } from './store.repository';

interface Parts {
  stores: Pick<StoreRepository, 'findById' | 'hasTransactions' | 'listProductIds'>;
  storage: Pick<Storage, 'discard'>;
  cache: AnswerCache;
  inTransaction: <T>(
    work: (stores: Pick<StoreRepository, 'lockProducts' | 'lock' | 'listProductImages' | 'delete'>) => Promise<T>,
  ) => Promise<T>;
}

/** Its products go with it, and their images after them. @throws AppError `store_has_transactions` and what showStore throws */
export const deleteStore = ({ stores, storage, cache, inTransaction }: Parts) => {
  const show = showStore({ stores });
  const remove = async (caller: Caller, id: number): Promise<void> => {
    await show(caller, id);
    // The foreign key decides, but most stores with transactions can be refused without locking what they sell.
    if (await stores.hasTransactions(id)) throw storeHasTransactions();
    const productIds = await stores.listProductIds(id);
    const images = await inTransaction(async (locked) => {
      // Products before their store, as in a checkout. One that joins in between goes with the store.
      await locked.lockProducts(productIds);
      if (!(await locked.lock(id))) throw notFound();
      // No product can join a locked store, so this list is complete.
      const found = await locked.listProductImages(id);
      await locked.delete(id);
      return found;
    });
    await cache.invalidate([cacheScope.everything]);
    await storage.discard(images);
  };
  return (caller: Caller, id: number): Promise<void> =>
    invalidateIfGone(cache, [cacheScope.everything], () => remove(caller, id));
};
