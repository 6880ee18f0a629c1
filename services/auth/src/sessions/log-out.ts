import type { AuthContext } from '../service';
import { hashToken } from './opaque-token';
import { lockRefreshToken, revokeSession } from './sessions.sql';

/** Ends the token's session, including a token from a concurrent refresh. Ignores an unknown token. */
export async function logOut(ctx: AuthContext, token: string): Promise<void> {
  await ctx.db.transaction(async function revokeLocked(sql) {
    const stored = await lockRefreshToken(sql, hashToken(token));
    if (stored) await revokeSession(sql, stored.familyId, new Date());
  });
}
