import type { Caller, List } from '@shop/core';
import type { AddressRepository } from './address.repository';
import type { Address, AddressQuery } from './address.schemas';

interface Parts {
  addresses: Pick<AddressRepository, 'list'>;
}

/** One's own, for an admin too. */
export const listAddresses =
  ({ addresses }: Parts) =>
  (caller: Caller, query: AddressQuery): Promise<List<Address>> =>
    addresses.list(caller.id, query);
