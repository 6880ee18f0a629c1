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

/** Mails the token once it is there. Nobody waits for it; a failure is logged. */
export type MailReset = (user: { id: number; email: string }, token: () => Promise<string>) => void;

interface MailParts {
  sendResetMail: ResetMail;
  /** Keeps a flood of requests from becoming a flood of connections to the mail server. */
  inTurn: BoundedWork;
  logger: Logger;
}

export const mailReset =
  ({ sendResetMail, inTurn, logger }: MailParts): MailReset =>
  ({ id, email }, token) => {
    const send = async () => sendResetMail(email, await token());
    setImmediate(() => {
      inTurn(send).catch((error) => logger.error({ err: error, user_id: id }, 'a reset mail was not sent'));
    });
  };

/** Makes a reset token that supersedes the user's older ones. */
async function newReset(inTransaction: InTransaction, userId: number): Promise<string> {
  const { token, hash } = newOpaqueToken();
  const expiresAt = new Date(Date.now() + RESET_SECONDS * 1000);
  await inTransaction(({ passwordResets }) => passwordResets.replace(userId, { hash, expiresAt }));
  return token;
}

/** Returns the token to any caller, and mails it where there is a mail server: for development only. @throws AppError `not_found` */
export const requestReset =
  ({ accounts, inTransaction, mail }: Parts & { mail: MailReset | undefined }) =>
  async (email: string): Promise<string> => {
    const user = await accounts.findCallerByEmail(email);
    if (!user) throw notFound({ message: 'There is no account with this email address.' });
    const token = await newReset(inTransaction, user.id);
    mail?.({ id: user.id, email }, async () => token);
    return token;
  };

/** Mails the token, made after the answer: neither its words nor its time tell whether the address is known. */
export const requestResetByMail =
  ({ accounts, inTransaction, mail }: Parts & { mail: MailReset }) =>
  async (email: string): Promise<void> => {
    const user = await accounts.findCallerByEmail(email);
    if (user) mail({ id: user.id, email }, () => newReset(inTransaction, user.id));
  };
