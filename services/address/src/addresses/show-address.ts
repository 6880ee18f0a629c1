import { type Caller, mayActFor, notFound } from '@shop/core';
import type { AddressRepository } from './address.repository';
import type { Address } from './address.schemas';

interface Parts {
  addresses: Pick<AddressRepository, 'findById'>;
}

/** @throws AppError `not_found`, `forbidden` */
export const showAddress =
  ({ addresses }: Parts) =>
  async (caller: Caller, id: number): Promise<Address> => {
    const address = await addresses.findById(id);
    if (!address) throw notFound();
    mayActFor(caller, address.user_id);
    return address;
  };
