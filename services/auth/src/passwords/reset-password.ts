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
}

/** Ends all sessions of the user, too. @throws AppError `invalid_token`, `overloaded` */
export const resetPassword =
  ({ passwordResets, inTransaction, passwords }: Parts) =>
  async ({ token, password }: PasswordReset): Promise<void> => {
    const tokenHash = hashOfToken(token);
    // Looked at before the costly hash, decided after it: of parallel calls one gets to spend the token.
    const reset = await passwordResets.findLive(tokenHash, new Date());
    if (!reset) throw invalidToken();
    const passwordHash = await passwords.hash(password);
    await inTransaction(async ({ passwordResets, credentials, sessions }) => {
      const now = new Date();
      if (!(await passwordResets.updateSpent(tokenHash, now))) throw invalidToken();
      await credentials.updatePassword(reset.userId, passwordHash);
      await sessions.updateAllRevoked(reset.userId, now);
    });
  };
