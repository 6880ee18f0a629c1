import { type Caller, forbidden } from '@shop/core';
import type { AccountRepository } from './account.repository';
import type { UserChange } from './account.schemas';
import { showUser } from './show-user';

interface Parts {
  accounts: Pick<AccountRepository, 'findById' | 'update'>;
}

/** A new role counts from the next refresh or login. @throws AppError `phone_taken` and what showUser throws */
export const updateUser = ({ accounts }: Parts) => {
  const show = showUser({ accounts });
  return async (caller: Caller, id: number, change: UserChange): Promise<void> => {
    await show(caller, id);
    if (change.role !== undefined && caller.role !== 'admin') {
      throw forbidden({ message: 'Only an admin may change a role.' });
    }
    await accounts.update(id, change);
  };
};
