import type { Caller } from '@shop/core/auth';
import { clientNetwork } from '@shop/core/rate-limit';
import { emailTaken } from '../accounts/accounts.errors';
import { findCallerByEmail } from '../accounts/accounts.sql';
import { getOwnUser } from '../accounts/get-own-user';
import type { Client } from '../audit/client';
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
  client: Client,
): Promise<string | undefined> {
  const user = await getOwnUser(ctx, caller);
  await assertPassword(ctx, user.email, current_password, client);
  const holder = await findCallerByEmail(ctx.db, email);
  if (holder && holder.id !== user.id) throw emailTaken();
  const network = clientNetwork(client.ip);
  const token = await ctx.audit.transaction(client, async function queue(sql, record) {
    await record('email_change_requested', user.id);
    const added = await queueVerification(ctx, sql, { id: user.id, email }, client.ip);
    const notice = { kind: 'email_change', recipient: user.email, userId: user.id, client: network } as const;
    await ctx.outbox?.add(sql, notice, mailQuotas('change', user.email, network));
    return added;
  });
  ctx.outbox?.wake();
  return token;
}
