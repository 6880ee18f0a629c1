import type { Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { Client } from '../audit/client';
import type { AuthContext } from '../service';
import { hashToken } from './opaque-token';
import { findFamily, findFamilyById, revokeSession } from './sessions.sql';

/** Ends the token's session, including a token from a concurrent refresh. Ignores an unknown token. */
export async function logOut(ctx: AuthContext, token: string, client: Client): Promise<void> {
  const family = await findFamily(ctx.db, hashToken(token));
  if (family) await endSession(ctx, family, client);
}

/** Ends one of the caller's sessions, by its id in the list of sessions. */
export async function logOutSession(ctx: AuthContext, caller: Caller, id: number, client: Client): Promise<void> {
  const familyId = await findFamilyById(ctx.db, caller.id, id);
  if (familyId === undefined) throw notFound();
  await endSession(ctx, { userId: caller.id, familyId }, client);
}

async function endSession(
  { audit, tokenIssuer }: AuthContext,
  { userId, familyId }: { userId: number; familyId: string },
  client: Client,
): Promise<void> {
  await audit.transaction(client, async function revokeLocked(sql, record) {
    const hasEnded = await revokeSession(sql, familyId, tokenIssuer.revocationTimes());
    if (hasEnded) await record('session_revoked', userId);
  });
}
