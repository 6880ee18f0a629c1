import { type Caller, invalidAccessToken } from '@shop/core/auth';
import type { AuthContext } from '../service';
import type { User } from './accounts.schemas';
import { findUser } from './accounts.sql';

export async function getOwnUser({ db }: AuthContext, caller: Caller): Promise<User> {
  const user = await findUser(db, caller.id);
  // An access token can outlive its user.
  if (!user) throw invalidAccessToken();
  return user;
}
