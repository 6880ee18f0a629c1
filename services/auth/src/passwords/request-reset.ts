import { notFound } from '@shop/core';
import type { AccountRepository } from '../accounts/account.repository';
import type { InTransaction, Repositories } from '../repositories';
import { newOpaqueToken } from '../sessions/opaque-token';
import type { MailReset } from './mail-reset';
import { RESET_SECONDS } from './password.schemas';

interface Parts {
  accounts: Pick<AccountRepository, 'findCallerByEmail'>;
  inTransaction: InTransaction;
}

/** Makes a reset token that supersedes the user's older ones. */
async function addReset({ passwordResets }: Pick<Repositories, 'passwordResets'>, userId: number): Promise<string> {
  const { token, hash } = newOpaqueToken();
  const expiresAt = new Date(Date.now() + RESET_SECONDS * 1000);
  await passwordResets.replace(userId, { hash, expiresAt });
  return token;
}

/** Returns the token to any caller, and mails it where there is a mail server: for development only. @throws AppError `not_found` */
export const requestReset =
  ({ accounts, inTransaction, mail }: Parts & { mail: MailReset | undefined }) =>
  async (email: string, clientIp: string): Promise<string> => {
    const user = await accounts.findCallerByEmail(email);
    if (!user) throw notFound({ message: 'There is no account with this email address.' });
    const token = await inTransaction((repositories) => addReset(repositories, user.id));
    mail?.({ userId: user.id, email, clientIp }, async () => token);
    return token;
  };

/** Mails the token, made after the response: neither its words nor its time tell whether the email address is known. */
export const requestResetByMail =
  ({ accounts, mail }: Pick<Parts, 'accounts'> & { mail: MailReset }) =>
  async (email: string, clientIp: string): Promise<void> => {
    const user = await accounts.findCallerByEmail(email);
    if (!user) return;
    mail({ userId: user.id, email, clientIp }, (repositories) => addReset(repositories, user.id));
  };
