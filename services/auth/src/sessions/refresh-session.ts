import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { findCaller } from '../accounts/accounts.sql';
import type { AuthContext } from '../service';
import { forgetExpiredTokens } from './forget-expired-tokens';
import { hashOfToken } from './opaque-token';
import { invalidRefreshToken } from './sessions.errors';
import type { TokenSet } from './sessions.schemas';
import { insertRefreshToken, lockRefreshToken, revokeSession, spendRefreshToken } from './sessions.sql';
import type { NewRefreshToken } from './token-issuer';

interface Rotation {
  owner: Caller;
  successor: NewRefreshToken;
}

/** Exchanges the token for a new token set with the user's current role. */
export async function refreshSession(ctx: AuthContext, token: string): Promise<TokenSet> {
  const rotation = await ctx.db.transaction(async function rotateLocked(sql) {
    return await rotateToken(sql, ctx, token);
  });
  if (!rotation) throw invalidRefreshToken();
  await forgetExpiredTokens(ctx);
  return ctx.tokenIssuer.tokenSet(rotation.owner, rotation.successor);
}

/** Refuses by returning undefined instead of throwing, so that what it revokes is committed. */
async function rotateToken(sql: Sql, { tokenIssuer }: AuthContext, token: string): Promise<Rotation | undefined> {
  const held = await lockRefreshToken(sql, hashOfToken(token));
  if (!held) return undefined;
  const now = new Date();
  if (held.spentAt) {
    // Two clients hold this token, and one of them is a thief: the session ends for both.
    await revokeSession(sql, held.familyId, now);
    return undefined;
  }
  if (held.revokedAt || held.expiresAt <= now) return undefined;
  const owner = await findCaller(sql, held.userId);
  if (!owner) return undefined;
  const successor = tokenIssuer.newRefreshToken(held.familyId);
  await spendRefreshToken(sql, held.id, now);
  await insertRefreshToken(sql, held.userId, successor);
  return { owner, successor };
}
