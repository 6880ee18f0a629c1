import { updateEmailVerified } from '../accounts/accounts.sql';
import type { AuthContext } from '../service';
import { hashOfToken } from '../sessions/opaque-token';
import { revokeAllSessions } from '../sessions/sessions.sql';
import { updatePassword } from './credentials.sql';
import { findLiveReset, spendReset } from './password-resets.sql';
import { invalidToken } from './passwords.errors';
import type { PasswordReset } from './passwords.schemas';

/** Ends all sessions of the user, too. */
export async function resetPassword(ctx: AuthContext, { token, password }: PasswordReset): Promise<void> {
  const tokenHash = hashOfToken(token);
  // Looked up before the costly hash and decided after it: of concurrent calls one gets to spend the token.
  const reset = await findLiveReset(ctx.db, tokenHash, new Date());
  if (!reset) throw invalidToken();
  const passwordHash = await ctx.passwordHasher.hash(password);
  // Where tokens go by mail only, using one proves the email address.
  const provesEmail = ctx.config.appEnv !== 'local';
  await ctx.db.transaction(async function setPassword(sql) {
    const now = new Date();
    // The user's row is locked first, as everywhere: the other order deadlocks with a Google link.
    await updatePassword(sql, reset.userId, passwordHash);
    if (!(await spendReset(sql, tokenHash, now))) throw invalidToken();
    if (provesEmail) await updateEmailVerified(sql, reset.userId, now);
    await revokeAllSessions(sql, reset.userId, now);
  });
}
