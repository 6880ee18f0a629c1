import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { findCaller } from '../accounts/accounts.sql';
import type { AuthContext } from '../service';
import { forgetExpiredTokens } from './forget-expired-tokens';
import { hashToken } from './opaque-token';
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

/** Returns undefined instead of throwing, so that the revocation is committed. */
async function rotateToken(sql: Sql, { tokenIssuer }: AuthContext, token: string): Promise<Rotation | undefined> {
  const stored = await lockRefreshToken(sql, hashToken(token));
  if (!stored) return undefined;
  const now = new Date();
  if (stored.spentAt) {
    // A spent token is used again: two clients have it, and one may have stolen it. End the session for both.
    await revokeSession(sql, stored.familyId, now);
    return undefined;
  }
  if (stored.revokedAt || stored.expiresAt <= now) return undefined;
  const owner = await findCaller(sql, stored.userId);
  if (!owner) return undefined;
  const successor = tokenIssuer.newRefreshToken(stored.familyId);
  await spendRefreshToken(sql, stored.id, now);
  await insertRefreshToken(sql, stored.userId, successor);
  return { owner, successor };
}
