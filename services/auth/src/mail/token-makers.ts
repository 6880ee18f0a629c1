import type { Sql } from '@shop/core/db';
import { findCallerByEmail, findUser } from '../accounts/accounts.sql';
import { addVerificationToken } from '../email/email-verifications.sql';
import { addResetToken } from '../passwords/password-resets.sql';
import type { QueuedMail } from './mails.sql';

/**
 * Creates the token of a mail that is about to be sent. It supersedes the user's older ones of that kind.
 * @returns null: the mail has no token; undefined: it must not be sent
 */
export type TokenMaker = (sql: Sql, mail: QueuedMail) => Promise<string | null | undefined>;

export const makeToken: TokenMaker = async (sql, { kind, recipient, userId }) => {
  switch (kind) {
    case 'password_reset': {
      const user = await findCallerByEmail(sql, recipient);
      return user && (await addResetToken(sql, user.id));
    }
    case 'email_verification': {
      const user = userId === null ? undefined : await findUser(sql, userId);
      if (!user || (user.email === recipient && user.email_verified)) return undefined;
      return await addVerificationToken(sql, user.id, recipient);
    }
    case 'email_change':
      return null;
  }
};
