import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { clientNetwork } from '@shop/core/rate-limit';
import { getOwnUser } from '../accounts/get-own-user';
import { mailQuotas } from '../mail/mail-quotas';
import type { AuthContext } from '../service';
import { addVerificationToken } from './email-verifications.sql';

/**
 * Must run in a database transaction, as its last step. Call `ctx.outbox?.wake()` after the commit.
 * @returns the token in the local environment, where the response has it
 */
export async function queueVerification(
  ctx: AuthContext,
  sql: Sql,
  user: { id: number; email: string },
  clientIp: string,
): Promise<string | undefined> {
  const { id: userId, email } = user;
  const client = clientNetwork(clientIp);
  const token = ctx.config.appEnv === 'local' ? await addVerificationToken(sql, userId, email) : undefined;
  const mail = { kind: 'email_verification', recipient: email, userId, client, token } as const;
  await ctx.outbox?.add(sql, mail, mailQuotas('verify', email, client));
  return token;
}

/** Does nothing if the address is verified. */
export async function resendVerification(
  ctx: AuthContext,
  caller: Caller,
  clientIp: string,
): Promise<string | undefined> {
  const user = await getOwnUser(ctx, caller);
  if (user.email_verified) return undefined;
  const token = await ctx.db.transaction(async function queue(sql) {
    return await queueVerification(ctx, sql, user, clientIp);
  });
  ctx.outbox?.wake();
  return token;
}
