import { updateEmail } from '../accounts/accounts.sql';
import type { Client } from '../audit/client';
import { deleteResets } from '../passwords/password-resets.sql';
import { invalidToken } from '../passwords/passwords.errors';
import type { AuthContext } from '../service';
import { hashToken } from '../sessions/opaque-token';
import { findLiveVerification, spendVerification } from './email-verifications.sql';

/**
 * The address that the token was sent to becomes the verified address of the account.
 * @throws AppError `invalid_token`; `email_taken` if another account got the address in the meantime
 */
export async function verifyEmail(ctx: AuthContext, token: string, client: Client): Promise<void> {
  const hash = hashToken(token);
  const verification = await findLiveVerification(ctx.db, hash, new Date());
  if (!verification) throw invalidToken();
  const { userId, email } = verification;
  await ctx.audit.transaction(client, async function verifyLocked(sql, record) {
    const now = new Date();
    // Locks the user's row first, as everywhere.
    const isNew = await updateEmail(sql, userId, email, now);
    if (!(await spendVerification(sql, hash, now))) throw invalidToken();
    if (!isNew) return;
    // Reset tokens that were sent to the old address.
    await deleteResets(sql, userId);
    await record('email_changed', userId);
  });
}
