import type { Caller } from '@shop/core';
import type { AddressRepository } from './address.repository';
import { showAddress } from './show-address';

interface Parts {
  addresses: Pick<AddressRepository, 'findById' | 'delete'>;
}

/** Transactions that shipped to it keep their own copy. @throws AppError what showAddress throws */
export const deleteAddress = ({ addresses }: Parts) => {
  const show = showAddress({ addresses });
  return async (caller: Caller, id: number): Promise<void> => {
    await show(caller, id);
    await addresses.delete(id);
  };
};
