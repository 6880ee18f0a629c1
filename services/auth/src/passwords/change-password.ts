import type { Caller } from '@shop/core/auth';
import { clientNetwork } from '@shop/core/rate-limit';
import { getOwnUser } from '../accounts/get-own-user';
import type { Client } from '../audit/client';
import type { AuthContext } from '../service';
import { revokeAllSessions } from '../sessions/sessions.sql';
import { assertPassword } from './assert-password';
import { assertUncommon } from './common-passwords';
import { replaceHash } from './credentials.sql';
import { deleteResets } from './password-resets.sql';
import { wrongPassword } from './passwords.errors';
import type { PasswordChange } from './passwords.schemas';

/** Also ends all other sessions of the user, and reset tokens. */
export async function changePassword(
  ctx: AuthContext,
  caller: Caller,
  { current_password, password }: PasswordChange,
  client: Client,
): Promise<void> {
  await assertUncommon(password);
  const { email } = await getOwnUser(ctx, caller);
  const oldHash = await assertPassword(ctx, email, current_password, client);
  const newHash = await ctx.passwordHasher.hash(password, clientNetwork(client.ip));
  await ctx.audit.transaction(client, async function setPassword(sql, record) {
    // Changed or renewed by a concurrent request.
    if (!(await replaceHash(sql, caller.id, oldHash, newHash))) throw wrongPassword();
    await revokeAllSessions(sql, caller.id, ctx.tokenIssuer.revocationTimes(), caller.sessionId);
    await deleteResets(sql, caller.id);
    await record('password_changed', caller.id);
  });
}
