import type { AuthContext } from '../service';
import { sessionRepository } from '../sessions/session.repository';
import type { TokenSet } from '../sessions/session.schemas';
import type { NewAccount } from './accounts.schemas';
import { openAccount } from './open-account';

/** Opens an account with a store, and logs it in. */
export async function register(ctx: AuthContext, account: NewAccount): Promise<{ id: number; tokenSet: TokenSet }> {
  const { name, email, phone, password } = account;
  const passwordHash = await ctx.passwordHasher.hash(password);
  const refreshToken = ctx.tokenIssuer.newRefreshToken();
  const id = await ctx.db.transaction(async function insertAccountAndSession(sql) {
    const fields = { name, email, phone, passwordHash, googleSub: null, emailVerifiedAt: null };
    const userId = await openAccount(sql, fields);
    await sessionRepository(sql).insert(userId, refreshToken);
    return userId;
  });
  return { id, tokenSet: ctx.tokenIssuer.tokenSet({ id, role: 'user' }, refreshToken) };
}
