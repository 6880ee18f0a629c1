import { type Caller, forbidden, notFound, unauthenticated } from '@shop/core';
import type { InTransaction } from '../repositories';
import { lastAdmin } from './account.errors';
import type { AccountRepository } from './account.repository';
import type { UserChange } from './account.schemas';
import { showUser } from './show-user';

interface Parts {
  accounts: Pick<AccountRepository, 'findById' | 'findCaller' | 'listAdminIds' | 'update'>;
  inTransaction: InTransaction;
}

/** A new role counts from the next refresh or login. @throws AppError `phone_taken`, `last_admin` and what showUser throws */
export const updateUser = ({ accounts, inTransaction }: Parts) => {
  const show = showUser({ accounts });

  /** Reads the caller's role from the database: an access token may be older than a demotion. */
  async function updateWithRole(callerId: number, id: number, change: UserChange): Promise<void> {
    const caller = await accounts.findCaller(callerId);
    if (!caller) throw unauthenticated();
    await show(caller, id);
    assertMayChangeRoles(caller.role);
    // After demoting another user the caller is still an administrator. Only a self-demotion can leave none.
    const involved = callerId === id ? await accounts.listAdminIds() : [callerId, id];
    await inTransaction(async ({ accounts }) => {
      const roles = await accounts.lockRoles(involved);
      assertMayChangeRoles(roles.get(callerId));
      if (!roles.has(id)) throw notFound();
      roles.set(id, change.role ?? 'user');
      if (![...roles.values()].includes('admin')) throw lastAdmin();
      await accounts.update(id, change);
    });
  }

  return async (caller: Caller, id: number, change: UserChange): Promise<void> => {
    if (change.role !== undefined) return updateWithRole(caller.id, id, change);
    await show(caller, id);
    await accounts.update(id, change);
  };
};

function assertMayChangeRoles(role: Caller['role'] | undefined): void {
  if (role !== 'admin') throw forbidden({ message: 'Only an admin may change a role.' });
}
