import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import { findCaller } from '../accounts/accounts.sql';
import type { Client } from '../audit/client';
import type { AuthContext } from '../service';
import { revokeAllSessions } from './sessions.sql';

/** Only an admin gets a 404 for an unknown user. */
export async function logOutEverywhere(
  ctx: AuthContext,
  caller: Caller,
  userId: number,
  client: Client,
): Promise<void> {
  assertOwnerOrAdmin(caller, userId);
  await ctx.audit.transaction(client, async function revokeSessions(sql, record) {
    if (userId !== caller.id && !(await findCaller(sql, userId))) throw notFound();
    await revokeAllSessions(sql, userId, ctx.tokenIssuer.revocationTimes());
    await record('all_sessions_revoked', userId, { actorId: caller.id });
  });
}
