import type { Caller, Role } from '@shop/core/auth';
import { forbidden, notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch, writeIfUnchanged } from '@shop/core/preconditions';
import type { Client } from '../audit/client';
import type { AuthContext } from '../service';
import { revokeOtherRoles } from '../sessions/revocations.sql';
import { lastAdmin } from './accounts.errors';
import type { User, UserChange } from './accounts.schemas';
import { findUser, listAdminIds, lockRoles, updateUser } from './accounts.sql';
import { getCurrentCaller } from './assert-admin';
import { getUser } from './get-user';

/** A new role ends the access tokens with the old one. The next refresh or login gives tokens with the new one. */
export async function changeUser(
  ctx: AuthContext,
  caller: Caller,
  id: number,
  change: UserChange,
  client: Client,
  ifMatch: IfMatch<User>,
): Promise<void> {
  const { role } = change;
  if (role !== undefined) return await changeWithRole(ctx, caller, id, { ...change, role }, client, ifMatch);
  await getUser(ctx, caller, id);
  const user = { table: 'users', id, find: findUser };
  await writeIfUnchanged(ctx.db, ifMatch, user, (sql) => updateUser(sql, id, change));
}

async function changeWithRole(
  ctx: AuthContext,
  givenCaller: Caller,
  id: number,
  change: UserChange & { role: Role },
  client: Client,
  ifMatch: IfMatch<User>,
): Promise<void> {
  const { role } = change;
  const caller = await getCurrentCaller(ctx, givenCaller);
  await getUser(ctx, caller, id);
  assertMayChangeRoles(caller.role);
  // Demoting another user leaves the caller as an admin. Only a self-demotion can leave none.
  const involved = caller.id === id ? await listAdminIds(ctx.db) : [caller.id, id];
  await ctx.audit.transaction(client, async function updateLocked(sql, record) {
    const roles = await lockRoles(sql, involved);
    assertMayChangeRoles(roles.get(caller.id));
    if (!roles.has(id)) throw notFound();
    await assertUnchanged(sql, ifMatch, { table: 'users', id, find: findUser });
    const before = roles.get(id);
    roles.set(id, role);
    if (![...roles.values()].includes('admin')) throw lastAdmin();
    await updateUser(sql, id, change);
    if (role === before) return;
    await record('role_changed', id, { actorId: caller.id, detail: `${before} to ${role}` });
    // Where admins need a second factor, the new admin goes on as a user until the next login.
    if (role === 'admin' && ctx.adminsNeedFactor) return;
    await revokeOtherRoles(sql, id, role, ctx.tokenIssuer.revocationTimes());
  });
}

function assertMayChangeRoles(role: Role | undefined): void {
  if (role !== 'admin') throw forbidden({ message: 'Only an admin may change a role.' });
}
