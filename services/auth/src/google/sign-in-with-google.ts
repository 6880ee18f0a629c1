import { AppError, type Caller } from '@shop/core';
import { emailTaken } from '../accounts/account.errors';
import type { AccountRepository } from '../accounts/account.repository';
import { openAccount } from '../accounts/open-account';
import type { InTransaction } from '../repositories';
import type { ForgetExpired } from '../sessions/forget-expired';
import type { TokenSet } from '../sessions/session.schemas';
import type { TokenIssuer } from '../sessions/token-issuer';
import { invalidIdToken, ssoNotConfigured } from './google.errors';
import type { GoogleIdentity } from './google.schemas';
import type { VerifyIdToken } from './verify-id-token';

interface Parts {
  /** undefined: no client id is configured. */
  verifyIdToken: VerifyIdToken | undefined;
  accounts: Pick<AccountRepository, 'findCallerByGoogleSub' | 'findCallerByEmail' | 'linkGoogle'>;
  inTransaction: InTransaction;
  issuer: TokenIssuer;
  forgetExpired: ForgetExpired;
}

/**
 * A user is known by Google's `sub`, since addresses change hands; the first time by the verified address.
 * @throws AppError `sso_not_configured`, `google_unavailable`, `invalid_id_token`
 */
export const signInWithGoogle = ({ verifyIdToken, accounts, inTransaction, issuer, forgetExpired }: Parts) => {
  async function find({ sub, email }: GoogleIdentity): Promise<Caller | undefined> {
    const linked = await accounts.findCallerByGoogleSub(sub);
    if (linked) return linked;
    const sameAddress = await accounts.findCallerByEmail(email);
    if (!sameAddress) return undefined;
    // Linked to another Google account: the address has a new holder, who must not get the old one's shop.
    if (!(await accounts.linkGoogle(sameAddress.id, sub))) throw invalidIdToken();
    return sameAddress;
  }

  const open = ({ sub, email, name }: GoogleIdentity): Promise<Caller> =>
    inTransaction(async (repositories) => {
      const fields = { name, email, phone: null, passwordHash: null, googleSub: sub };
      return { id: await openAccount(repositories, fields), role: 'user' };
    });

  async function findOrOpen(identity: GoogleIdentity): Promise<Caller> {
    try {
      return (await find(identity)) ?? (await open(identity));
    } catch (error) {
      // The same person in another tab was faster.
      const meanwhile = error instanceof AppError && error.code === emailTaken.code && (await find(identity));
      if (!meanwhile) throw error;
      return meanwhile;
    }
  }

  return async (idToken: string): Promise<TokenSet> => {
    if (!verifyIdToken) throw ssoNotConfigured();
    const caller = await findOrOpen(await verifyIdToken(idToken));
    const refreshToken = issuer.newRefreshToken();
    await inTransaction(({ sessions }) => sessions.insert(caller.id, refreshToken));
    await forgetExpired();
    return issuer.tokenSet(caller, refreshToken);
  };
};
