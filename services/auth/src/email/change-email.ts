import type { Caller } from '@shop/core/auth';
import { clientNetwork } from '@shop/core/rate-limit';
import { emailTaken } from '../accounts/accounts.errors';
import { findCallerByEmail } from '../accounts/accounts.sql';
import { getOwnUser } from '../accounts/get-own-user';
import { mailQuotas } from '../mail/mail-quotas';
import { assertPassword } from '../passwords/assert-password';
import type { AuthContext } from '../service';
import type { EmailChange } from './email.schemas';
import { queueVerification } from './send-verification';

/**
 * The new address counts once it is verified. Until then, the old one does, and gets a mail that says so.
 * @returns the token in the local environment
 */
export async function changeEmail(
  ctx: AuthContext,
  caller: Caller,
  { email, current_password }: EmailChange,
  clientIp: string,
): Promise<string | undefined> {
  const user = await getOwnUser(ctx, caller);
  await assertPassword(ctx, user.email, current_password, clientIp);
  const holder = await findCallerByEmail(ctx.db, email);
  if (holder && holder.id !== user.id) throw emailTaken();
  const client = clientNetwork(clientIp);
  const token = await ctx.db.transaction(async function queue(sql) {
    const added = await queueVerification(ctx, sql, { id: user.id, email }, clientIp);
    const notice = { kind: 'email_change', recipient: user.email, userId: user.id, client } as const;
    await ctx.outbox?.add(sql, notice, mailQuotas('change', user.email, client));
    return added;
  });
  ctx.outbox?.wake();
  return token;
}
