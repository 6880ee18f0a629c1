import type { Caller } from '@shop/core';
import type { StoreRepository } from './store.repository';

interface Parts {
  stores: Pick<StoreRepository, 'insert'>;
}

export const addStore =
  ({ stores }: Parts) =>
  (owner: Caller, name: string): Promise<number> =>
    stores.insert(owner.id, name);
