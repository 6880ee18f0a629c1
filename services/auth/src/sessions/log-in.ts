import { findCredentials } from '../passwords/credentials.sql';
import { isSeededLogin } from '../passwords/seeded-admin';
import type { AuthContext } from '../service';
import { forgetExpiredSessions } from './forget-expired-sessions';
import { invalidCredentials } from './sessions.errors';
import type { Credentials, TokenSet } from './sessions.schemas';
import { type Client, insertSessionIfPasswordIs } from './sessions.sql';

/** An unknown email address, an account without a password and a wrong password take the same code path and time. */
export async function logIn(ctx: AuthContext, given: Credentials, client: Client): Promise<TokenSet> {
  const account = await findCredentials(ctx.db, given.email);
  // A replica that is not ready still serves requests that bypass the load balancer: never accept the published password.
  const isPublished = ctx.config.appEnv === 'production' && isSeededLogin(given);
  const matches = await ctx.passwordHasher.matches(isPublished ? '' : given.password, account?.passwordHash);
  if (!account?.passwordHash || !matches) throw invalidCredentials();
  const { id, passwordHash } = account;
  const refreshToken = ctx.tokenIssuer.newRefreshToken();
  // A concurrent password reset revokes all sessions. No session may start with the old password after that.
  await ctx.db.transaction(async function startSession(sql) {
    const isCurrent = await insertSessionIfPasswordIs(sql, passwordHash, id, refreshToken, client);
    if (!isCurrent) throw invalidCredentials();
  });
  await forgetExpiredSessions(ctx);
  return ctx.tokenIssuer.tokenSet(account, refreshToken);
}
