import type { Caller, Role } from '@shop/core/auth';
import { forbidden, notFound, unauthenticated } from '@shop/core/errors';
import type { Client } from '../audit/client';
import type { AuthContext } from '../service';
import { revokeOtherRoles } from '../sessions/revocations.sql';
import { lastAdmin } from './accounts.errors';
import type { UserChange } from './accounts.schemas';
import { findCaller, listAdminIds, lockRoles, updateUser } from './accounts.sql';
import { getUser } from './get-user';

/** A new role ends the access tokens with the old one. The next refresh or login gives tokens with the new one. */
export async function changeUser(
  ctx: AuthContext,
  caller: Caller,
  id: number,
  change: UserChange,
  client: Client,
): Promise<void> {
  const { role } = change;
  if (role !== undefined) return await changeWithRole(ctx, caller.id, id, { ...change, role }, client);
  await getUser(ctx, caller, id);
  await updateUser(ctx.db, id, change);
}

/** Reads the caller's role from the database: an access token may be older than a demotion. */
async function changeWithRole(
  ctx: AuthContext,
  callerId: number,
  id: number,
  change: UserChange & { role: Role },
  client: Client,
): Promise<void> {
  const { role } = change;
  const caller = await findCaller(ctx.db, callerId);
  if (!caller) throw unauthenticated();
  await getUser(ctx, caller, id);
  assertMayChangeRoles(caller.role);
  // Demoting another user leaves the caller as an admin. Only a self-demotion can leave none.
  const involved = callerId === id ? await listAdminIds(ctx.db) : [callerId, id];
  await ctx.audit.transaction(client, async function updateLocked(sql, record) {
    const roles = await lockRoles(sql, involved);
    assertMayChangeRoles(roles.get(callerId));
    if (!roles.has(id)) throw notFound();
    const before = roles.get(id);
    roles.set(id, role);
    if (![...roles.values()].includes('admin')) throw lastAdmin();
    await updateUser(sql, id, change);
    if (role === before) return;
    await revokeOtherRoles(sql, id, role, ctx.tokenIssuer.revocationTimes());
    await record('role_changed', id, { actorId: callerId, detail: `${before} to ${role}` });
  });
}

function assertMayChangeRoles(role: Role | undefined): void {
  if (role !== 'admin') throw forbidden({ message: 'Only an admin may change a role.' });
}
