import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { AuthContext } from '../service';
import type { User } from './accounts.schemas';
import { findUser } from './accounts.sql';

export async function getUser({ db }: Pick<AuthContext, 'db'>, caller: Caller, id: number): Promise<User> {
  const user = await findUser(db, id);
  if (!user) throw notFound();
  assertOwnerOrAdmin(caller, user.id);
  return user;
}
