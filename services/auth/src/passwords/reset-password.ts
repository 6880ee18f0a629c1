import { clientNetwork } from '@shop/core/rate-limit';
import { updateEmailVerified } from '../accounts/accounts.sql';
import type { Client } from '../audit/client';
import { insertKnownClient } from '../guessing/known-clients.sql';
import type { AuthContext } from '../service';
import { hashToken } from '../sessions/opaque-token';
import { revokeAllSessions } from '../sessions/sessions.sql';
import { assertUncommon } from './common-passwords';
import { updatePassword } from './credentials.sql';
import { findLiveReset, spendReset } from './password-resets.sql';
import { invalidToken } from './passwords.errors';
import type { PasswordReset } from './passwords.schemas';

/** Also ends all sessions of the user. The client counts as known: the owner gets in where strangers have guessed. */
export async function resetPassword(
  ctx: AuthContext,
  { token, password }: PasswordReset,
  client: Client,
): Promise<void> {
  await assertUncommon(password);
  const network = clientNetwork(client.ip);
  const tokenHash = hashToken(token);
  // Checked before the expensive hash, decided after it: only one of several concurrent calls can spend the token.
  const reset = await findLiveReset(ctx.db, tokenHash, new Date());
  if (!reset) throw invalidToken();
  const passwordHash = await ctx.passwordHasher.hash(password, network);
  // Where tokens are only sent by mail, using one proves that the email address belongs to the user.
  const provesEmail = ctx.config.appEnv !== 'local';
  await ctx.audit.transaction(client, async function setPassword(sql, record) {
    const now = new Date();
    // Locks the user's row first, as everywhere: the other order deadlocks with linking a Google account.
    await updatePassword(sql, reset.userId, passwordHash);
    if (!(await spendReset(sql, tokenHash, now))) throw invalidToken();
    if (provesEmail) await updateEmailVerified(sql, reset.userId, now);
    await revokeAllSessions(sql, reset.userId, ctx.tokenIssuer.revocationTimes());
    await insertKnownClient(sql, reset.userId, network);
    await record('password_reset', reset.userId);
  });
}
