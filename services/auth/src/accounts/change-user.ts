import type { Caller, Role } from '@shop/core/auth';
import { forbidden, notFound, unauthenticated } from '@shop/core/errors';
import type { AuthContext } from '../service';
import { revokeOtherRoles } from '../sessions/revocations.sql';
import { lastAdmin } from './accounts.errors';
import type { UserChange } from './accounts.schemas';
import { findCaller, listAdminIds, lockRoles, updateUser } from './accounts.sql';
import { getUser } from './get-user';

/** A new role ends the access tokens with the old one. The next refresh or login gives tokens with the new one. */
export async function changeUser(ctx: AuthContext, caller: Caller, id: number, change: UserChange): Promise<void> {
  const { role } = change;
  if (role !== undefined) return await changeWithRole(ctx, caller.id, id, { ...change, role });
  await getUser(ctx, caller, id);
  await updateUser(ctx.db, id, change);
}

/** Reads the caller's role from the database: an access token may be older than a demotion. */
async function changeWithRole(
  ctx: AuthContext,
  callerId: number,
  id: number,
  change: UserChange & { role: Role },
): Promise<void> {
  const { role } = change;
  const caller = await findCaller(ctx.db, callerId);
  if (!caller) throw unauthenticated();
  await getUser(ctx, caller, id);
  assertMayChangeRoles(caller.role);
  // Demoting another user leaves the caller as an admin. Only a self-demotion can leave none.
  const involved = callerId === id ? await listAdminIds(ctx.db) : [callerId, id];
  await ctx.db.transaction(async function updateLocked(sql) {
    const roles = await lockRoles(sql, involved);
    assertMayChangeRoles(roles.get(callerId));
    if (!roles.has(id)) throw notFound();
    const before = roles.get(id);
    roles.set(id, role);
    if (![...roles.values()].includes('admin')) throw lastAdmin();
    await updateUser(sql, id, change);
    if (role !== before) await revokeOtherRoles(sql, id, role, ctx.tokenIssuer.revocationTimes());
  });
}

function assertMayChangeRoles(role: Role | undefined): void {
  if (role !== 'admin') throw forbidden({ message: 'Only an admin may change a role.' });
}
