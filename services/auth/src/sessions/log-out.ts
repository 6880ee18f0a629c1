import type { Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { AuthContext } from '../service';
import { hashToken } from './opaque-token';
import { findFamily, findFamilyById, revokeSession } from './sessions.sql';

/** Ends the token's session, including a token from a concurrent refresh. Ignores an unknown token. */
export async function logOut(ctx: AuthContext, token: string): Promise<void> {
  const family = await findFamily(ctx.db, hashToken(token));
  if (family) await endSession(ctx, family.familyId);
}

/** Ends one of the caller's sessions, by its id in the list of sessions. */
export async function logOutSession(ctx: AuthContext, caller: Caller, id: number): Promise<void> {
  const familyId = await findFamilyById(ctx.db, caller.id, id);
  if (familyId === undefined) throw notFound();
  await endSession(ctx, familyId);
}

async function endSession({ db, tokenIssuer }: AuthContext, familyId: string): Promise<void> {
  await db.transaction(async function revokeLocked(sql) {
    await revokeSession(sql, familyId, tokenIssuer.revocationTimes());
  });
}
