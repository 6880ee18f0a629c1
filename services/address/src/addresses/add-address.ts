import type { Caller } from '@shop/core';
import type { AddressRepository } from './address.repository';
import type { NewAddress } from './address.schemas';

interface Parts {
  addresses: Pick<AddressRepository, 'insert'>;
}

export const addAddress =
  ({ addresses }: Parts) =>
  (owner: Caller, address: NewAddress): Promise<number> =>
    addresses.insert(owner.id, address);
