import { type Logger, notFound } from '@shop/core';
import type { AccountRepository } from '../accounts/account.repository';
import type { InTransaction } from '../repositories';
import { newOpaqueToken } from '../sessions/opaque-token';
import type { BoundedWork } from './bounded-work';
import { RESET_SECONDS } from './password.schemas';
import type { ResetMail } from './reset-mail';

interface Parts {
  accounts: Pick<AccountRepository, 'findCallerByEmail'>;
  inTransaction: InTransaction;
}

interface MailParts extends Parts {
  sendResetMail: ResetMail;
  /** Keeps a flood of requests from becoming a flood of connections to the mail server. */
  inTurn: BoundedWork;
  logger: Logger;
}

/** Makes a reset token that supersedes the user's older ones. */
async function newReset(inTransaction: InTransaction, userId: number): Promise<string> {
  const { token, hash } = newOpaqueToken();
  const expiresAt = new Date(Date.now() + RESET_SECONDS * 1000);
  await inTransaction(({ passwordResets }) => passwordResets.replace(userId, { hash, expiresAt }));
  return token;
}

/** Gives the token to whoever asks: for development only. @throws AppError `not_found` */
export const requestReset =
  ({ accounts, inTransaction }: Parts) =>
  async (email: string): Promise<string> => {
    const user = await accounts.findCallerByEmail(email);
    if (!user) throw notFound({ message: 'There is no account with this email address.' });
    return newReset(inTransaction, user.id);
  };

/** Mails the token, after the answer: neither its words nor its time tell whether the address is known. */
export const requestResetByMail =
  ({ accounts, inTransaction, sendResetMail, inTurn, logger }: MailParts) =>
  async (email: string): Promise<void> => {
    const user = await accounts.findCallerByEmail(email);
    if (!user) return;
    const mailToken = async () => sendResetMail(email, await newReset(inTransaction, user.id));
    setImmediate(() => {
      inTurn(mailToken).catch((error) => logger.error({ err: error, user_id: user.id }, 'a reset mail was not sent'));
    });
  };
