import type { InTransaction } from '../repositories';
import { hashOfToken } from '../sessions/opaque-token';
import { invalidToken } from './password.errors';
import type { PasswordReset } from './password.schemas';
import type { PasswordHasher } from './password-hasher';
import type { PasswordResetRepository } from './password-reset.repository';

interface Parts {
  passwordResets: Pick<PasswordResetRepository, 'findLive'>;
  inTransaction: InTransaction;
  passwords: Pick<PasswordHasher, 'hash'>;
  /** Whether reset tokens go by mail only, so that using one proves the email address. */
  onlyByMail: boolean;
}

/** Ends all sessions of the user, too. @throws AppError `invalid_token`, `overloaded` */
export const resetPassword =
  ({ passwordResets, inTransaction, passwords, onlyByMail }: Parts) =>
  async ({ token, password }: PasswordReset): Promise<void> => {
    const tokenHash = hashOfToken(token);
    // Looked at before the costly hash, decided after it: of parallel calls one gets to spend the token.
    const reset = await passwordResets.findLive(tokenHash, new Date());
    if (!reset) throw invalidToken();
    const passwordHash = await passwords.hash(password);
    await inTransaction(async ({ accounts, passwordResets, credentials, sessions }) => {
      const now = new Date();
      // The user's row is locked first, as everywhere: the other order deadlocks with a Google link.
      await credentials.updatePassword(reset.userId, passwordHash);
      if (!(await passwordResets.updateSpent(tokenHash, now))) throw invalidToken();
      if (onlyByMail) await accounts.updateEmailVerified(reset.userId, now);
      await sessions.updateAllRevoked(reset.userId, now);
    });
  };
