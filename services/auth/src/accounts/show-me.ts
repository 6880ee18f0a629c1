import { type Caller, unauthenticated } from '@shop/core';
import type { AccountRepository } from './account.repository';
import type { User } from './account.schemas';

interface Parts {
  accounts: Pick<AccountRepository, 'findById'>;
}

/** @throws AppError `unauthenticated` where the token has outlived its user */
export const showMe =
  ({ accounts }: Parts) =>
  async (caller: Caller): Promise<User> => {
    const user = await accounts.findById(caller.id);
    if (!user) throw unauthenticated();
    return user;
  };
