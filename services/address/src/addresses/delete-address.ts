import { type Caller, notFound } from '@shop/core';
import type { AddressRepository } from './address.repository';
import { showAddress } from './show-address';

interface Parts {
  addresses: Pick<AddressRepository, 'findById' | 'listTransactionIds'>;
  inTransaction: <T>(
    work: (addresses: Pick<AddressRepository, 'lockTransactions' | 'delete'>) => Promise<T>,
  ) => Promise<T>;
}

/** Transactions that shipped to it keep their own copy. @throws AppError what showAddress throws */
export const deleteAddress = ({ addresses, inTransaction }: Parts) => {
  const show = showAddress({ addresses });
  return async (caller: Caller, id: number): Promise<void> => {
    await show(caller, id);
    const transactionIds = await addresses.listTransactionIds(id);
    const existed = await inTransaction(async (locked) => {
      // Transactions before their address, as in a checkout: deleting it clears their address_id.
      await locked.lockTransactions(transactionIds);
      return locked.delete(id);
    });
    if (!existed) throw notFound();
  };
};
