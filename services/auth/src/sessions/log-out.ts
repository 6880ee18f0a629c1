import type { AuthContext } from '../service';
import { hashOfToken } from './opaque-token';
import { lockRefreshToken, revokeSession } from './sessions.sql';

/** Ends the token's session: a concurrent refresh does not survive it. An unknown token is fine. */
export async function logOut(ctx: AuthContext, token: string): Promise<void> {
  await ctx.db.transaction(async function revokeLocked(sql) {
    const held = await lockRefreshToken(sql, hashOfToken(token));
    if (held) await revokeSession(sql, held.familyId, new Date());
  });
}
