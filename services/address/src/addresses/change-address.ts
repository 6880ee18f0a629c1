import { type Caller, notFound } from '@shop/core';
import type { AddressRepository } from './address.repository';
import type { AddressChange } from './address.schemas';
import { showAddress } from './show-address';

interface Parts {
  addresses: Pick<AddressRepository, 'findById' | 'update'>;
}

/** Past transactions keep the copy they shipped to. @throws AppError what showAddress throws */
export const changeAddress = ({ addresses }: Parts) => {
  const show = showAddress({ addresses });
  return async (caller: Caller, id: number, change: AddressChange): Promise<void> => {
    await show(caller, id);
    if (!(await addresses.update(id, change))) throw notFound();
  };
};
