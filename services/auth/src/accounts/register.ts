import type { PasswordHasher } from '../passwords/password-hasher';
import type { InTransaction } from '../repositories';
import type { TokenSet } from '../sessions/session.schemas';
import type { TokenIssuer } from '../sessions/token-issuer';
import type { NewAccount } from './account.schemas';
import { openAccount } from './open-account';

interface Parts {
  inTransaction: InTransaction;
  passwords: Pick<PasswordHasher, 'hash'>;
  issuer: TokenIssuer;
}

/** Opens an account with a store and logs it in. @throws AppError `email_taken`, `phone_taken`, `overloaded` */
export const register =
  ({ inTransaction, passwords, issuer }: Parts) =>
  async ({ name, email, phone, password }: NewAccount): Promise<{ id: number; tokenSet: TokenSet }> => {
    const passwordHash = await passwords.hash(password);
    const refreshToken = issuer.newRefreshToken();
    const id = await inTransaction(async (repositories) => {
      const fields = { name, email, phone, passwordHash, googleSub: null, emailVerifiedAt: null };
      const userId = await openAccount(repositories, fields);
      await repositories.sessions.insert(userId, refreshToken);
      return userId;
    });
    return { id, tokenSet: issuer.tokenSet({ id, role: 'user' }, refreshToken) };
  };
