import { assertOwnerOrAdmin, type Caller, notFound } from '@shop/core';
import type { StoreRepository } from './store.repository';
import type { Store } from './store.schemas';

interface Parts {
  stores: Pick<StoreRepository, 'findById'>;
}

/** @throws AppError `not_found`, `forbidden` */
export const showStore =
  ({ stores }: Parts) =>
  async (caller: Caller, id: number): Promise<Store> => {
    const store = await stores.findById(id);
    if (!store) throw notFound();
    assertOwnerOrAdmin(caller, store.user_id);
    return store;
  };
