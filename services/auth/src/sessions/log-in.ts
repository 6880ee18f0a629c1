import type { CredentialRepository } from '../passwords/credential.repository';
import type { PasswordHasher } from '../passwords/password-hasher';
import type { InTransaction } from '../repositories';
import type { ForgetExpired } from './forget-expired';
import { invalidCredentials } from './session.errors';
import type { Credentials, TokenSet } from './session.schemas';
import type { TokenIssuer } from './token-issuer';

interface Parts {
  credentials: Pick<CredentialRepository, 'findByEmail'>;
  inTransaction: InTransaction;
  passwords: Pick<PasswordHasher, 'matches'>;
  issuer: TokenIssuer;
  forgetExpired: ForgetExpired;
}

/** Unknown address, no password and wrong password take the same way. @throws AppError `invalid_credentials`, `overloaded` */
export const logIn =
  ({ credentials, inTransaction, passwords, issuer, forgetExpired }: Parts) =>
  async ({ email, password }: Credentials): Promise<TokenSet> => {
    const known = await credentials.findByEmail(email);
    const matches = await passwords.matches(password, known?.passwordHash);
    if (!known?.passwordHash || !matches) throw invalidCredentials();
    const refreshToken = issuer.newRefreshToken();
    // A reset that came while the password was checked has revoked all sessions: none may start with the old one now.
    const { id, passwordHash } = known;
    const isCurrent = await inTransaction(({ sessions }) =>
      sessions.insertIfPasswordIs(passwordHash, id, refreshToken),
    );
    if (!isCurrent) throw invalidCredentials();
    await forgetExpired();
    return issuer.tokenSet(known, refreshToken);
  };
