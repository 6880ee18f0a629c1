import { AppError, type Caller, type Database, type Logger } from '@shop/core';
import type { AccountRepository, LinkableAccount } from '../accounts/account.repository';
import { emailTaken } from '../accounts/accounts.errors';
import { openAccount } from '../accounts/open-account';
import type { InTransaction, Repositories } from '../repositories';
import type { TokenSet } from '../sessions/sessions.schemas';
import type { TokenIssuer } from '../sessions/token-issuer';
import { invalidIdToken, ssoNotConfigured } from './google.errors';
import type { GoogleIdentity } from './google.schemas';
import type { VerifyIdToken } from './verify-id-token';

interface Parts {
  /** undefined: no client id is configured. */
  verifyIdToken: VerifyIdToken | undefined;
  db: Database;
  accounts: Pick<AccountRepository, 'findByGoogleIdentity'>;
  inTransaction: InTransaction;
  issuer: TokenIssuer;
  forgetExpired: () => Promise<void>;
  logger: Logger;
}

/**
 * A user is known by Google's `sub`, since addresses change hands; the first time by the verified address.
 * @throws AppError `sso_not_configured`, `google_unavailable`, `invalid_id_token`
 */
export const signInWithGoogle = ({
  verifyIdToken,
  db,
  accounts,
  inTransaction,
  issuer,
  forgetExpired,
  logger,
}: Parts) => {
  async function find(identity: GoogleIdentity): Promise<Caller | undefined> {
    const account = await accounts.findByGoogleIdentity(identity);
    if (!account) return undefined;
    if (!isSettled(account, identity)) await link(account.id, identity);
    return { id: account.id, role: account.role };
  }

  async function link(userId: number, identity: GoogleIdentity): Promise<void> {
    const takenOver = await inTransaction((repositories) => linkAccount(repositories, userId, identity));
    if (!takenOver) return;
    logger.warn(
      { user_id: userId },
      'the first Google sign-in to an account with an unverified email address removed its password and ended its ' +
        'sessions; access tokens issued before stay valid until they expire',
    );
  }

  const open = ({ sub, email, name }: GoogleIdentity): Promise<Caller> =>
    db.transaction(async (sql) => {
      const emailVerifiedAt = new Date();
      const fields = { name, email, phone: null, passwordHash: null, googleSub: sub, emailVerifiedAt };
      return { id: await openAccount(sql, fields), role: 'user' };
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

const isSettled = ({ googleSub, emailVerifiedAt }: LinkableAccount, { sub }: GoogleIdentity): boolean =>
  googleSub === sub && emailVerifiedAt !== null;

/**
 * Links the account to the Google identity. Anybody can register an address that is not theirs, so a password set before
 * the address was verified may be a stranger's: it goes, with all sessions and reset tokens.
 * @returns whether there was such a password
 * @throws AppError `invalid_id_token`, `email_taken`
 */
async function linkAccount(
  { accounts, credentials, sessions, passwordResets }: Repositories,
  userId: number,
  { sub, email }: GoogleIdentity,
): Promise<boolean> {
  // The lock holds off logins and resets, which read the password hash under it, until this transaction ends.
  const account = await accounts.lockForLink(userId);
  // Linked to another Google account: the address has a new holder, who must not get the old one's shop.
  if (!account || (account.googleSub ?? sub) !== sub) throw invalidIdToken();
  if (account.googleSub === null && account.email !== email) throw invalidIdToken();
  const now = new Date();
  await accounts.updateGoogleLink(userId, sub, now);
  if (account.emailVerifiedAt !== null || !(await credentials.removePassword(userId))) return false;
  await sessions.updateAllRevoked(userId, now);
  await passwordResets.deleteAll(userId);
  return true;
}
