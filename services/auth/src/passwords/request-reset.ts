import type { Sql } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { findCallerByEmail } from '../accounts/accounts.sql';
import type { AuthContext } from '../service';
import { newOpaqueToken } from '../sessions/opaque-token';
import { mailResetToken } from './mail-reset-token';
import { replaceResets } from './password-resets.sql';
import { RESET_SECONDS } from './passwords.schemas';

/** For development only: returns the token to any caller, and mails it if there is a mail server. */
export async function requestReset(ctx: AuthContext, email: string, clientIp: string): Promise<string> {
  const user = await findCallerByEmail(ctx.db, email);
  if (!user) throw notFound({ message: 'There is no account with this email address.' });
  const token = await ctx.db.transaction(async function replaceToken(sql) {
    return await addResetToken(sql, user.id);
  });
  mailResetToken(ctx, { userId: user.id, email, clientIp }, async () => token);
  return token;
}

/**
 * Creates and mails the token after the response, so that neither the response body nor its timing reveals whether the
 * email address is known. The settings require a mail server in every environment that uses this.
 */
export async function requestResetByMail(ctx: AuthContext, email: string, clientIp: string): Promise<void> {
  const user = await findCallerByEmail(ctx.db, email);
  if (!user) return;
  mailResetToken(ctx, { userId: user.id, email, clientIp }, async function addToken(sql) {
    return await addResetToken(sql, user.id);
  });
}

/** The new token supersedes the user's older ones. */
async function addResetToken(sql: Sql, userId: number): Promise<string> {
  const { token, hash } = newOpaqueToken();
  await replaceResets(sql, userId, hash, new Date(Date.now() + RESET_SECONDS * 1000));
  return token;
}
