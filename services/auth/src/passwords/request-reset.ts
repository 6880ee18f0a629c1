import type { Sql } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { clientNetwork } from '@shop/core/rate-limit';
import { findCallerByEmail } from '../accounts/accounts.sql';
import { mailQuotas } from '../mail/mail-quotas';
import type { AuthContext } from '../service';
import { addResetToken } from './password-resets.sql';

/** For development only: returns the token to any caller, and mails it if there is a mail server. */
export async function requestReset(ctx: AuthContext, email: string, clientIp: string): Promise<string> {
  const user = await findCallerByEmail(ctx.db, email);
  if (!user) throw notFound({ message: 'There is no account with this email address.' });
  const token = await ctx.db.transaction(async function addToken(sql) {
    const newest = await addResetToken(sql, user.id);
    await queueMail(ctx, sql, email, clientIp, newest);
    return newest;
  });
  ctx.outbox?.wake();
  return token;
}

/**
 * Does the same for unknown email addresses, so that neither the response nor its time says whether an address is known. The
 * outbox looks up the account, and creates the token. The settings require a mail server in every environment that uses this.
 */
export async function requestResetByMail(ctx: AuthContext, email: string, clientIp: string): Promise<void> {
  await ctx.db.transaction(async function queue(sql) {
    await queueMail(ctx, sql, email, clientIp);
  });
  ctx.outbox?.wake();
}

async function queueMail({ outbox }: AuthContext, sql: Sql, email: string, clientIp: string, token?: string) {
  const client = clientNetwork(clientIp);
  const mail = { kind: 'password_reset', recipient: email, userId: null, client, token } as const;
  await outbox?.add(sql, mail, mailQuotas('reset', email, client));
}
