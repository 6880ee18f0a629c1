import type { List } from '@shop/core';
import type { AccountRepository } from './account.repository';
import type { User, UserQuery } from './account.schemas';

interface Parts {
  accounts: Pick<AccountRepository, 'list'>;
}

export const listUsers =
  ({ accounts }: Parts) =>
  (query: UserQuery): Promise<List<User>> =>
    accounts.list(query);
