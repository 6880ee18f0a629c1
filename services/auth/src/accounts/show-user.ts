import { assertOwnerOrAdmin, type Caller, notFound } from '@shop/core';
import type { AccountRepository } from './account.repository';
import type { User } from './account.schemas';

interface Parts {
  accounts: Pick<AccountRepository, 'findById'>;
}

/** @throws AppError `not_found`, `forbidden` */
export const showUser =
  ({ accounts }: Parts) =>
  async (caller: Caller, id: number): Promise<User> => {
    const user = await accounts.findById(id);
    if (!user) throw notFound();
    assertOwnerOrAdmin(caller, user.id);
    return user;
  };
