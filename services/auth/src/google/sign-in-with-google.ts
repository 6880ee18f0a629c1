import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { AppError } from '@shop/core/errors';
import { clientNetwork } from '@shop/core/rate-limit';
import { emailTaken } from '../accounts/accounts.errors';
import { openAccount } from '../accounts/open-account';
import type { RecordEvent } from '../audit/audit-trail';
import type { Client } from '../audit/client';
import { insertKnownClient } from '../guessing/known-clients.sql';
import { removePassword } from '../passwords/credentials.sql';
import { deleteResets } from '../passwords/password-resets.sql';
import { deleteFactor } from '../second-factor/second-factors.sql';
import { assertSecondFactor } from '../second-factor/spend-code';
import type { AuthContext } from '../service';
import { forgetExpiredSessions } from '../sessions/forget-expired-sessions';
import type { TokenSet } from '../sessions/sessions.schemas';
import { insertSession, revokeAllSessions } from '../sessions/sessions.sql';
import { invalidIdToken, ssoNotConfigured } from './google.errors';
import type { GoogleIdentity, GoogleSignIn } from './google.schemas';
import { findAccountByIdentity, type LinkableAccount, lockAccountForLink, updateGoogleLink } from './google.sql';

/**
 * Identifies a user by Google's `sub`, because email addresses change hands. The first sign-in matches by the verified
 * email address.
 */
export async function signInWithGoogle(
  ctx: AuthContext,
  { id_token, code }: GoogleSignIn,
  client: Client,
): Promise<TokenSet> {
  if (!ctx.idTokenVerifier) throw ssoNotConfigured();
  const caller = await findOrOpenAccount(ctx, await ctx.idTokenVerifier.verify(id_token), client);
  const withFactor = await assertSecondFactor(ctx, caller.id, code);
  const refreshToken = ctx.tokenIssuer.newRefreshToken({ withFactor });
  await ctx.audit.transaction(client, async function startSession(sql, record) {
    await insertSession(sql, caller.id, refreshToken, client);
    await insertKnownClient(sql, caller.id, clientNetwork(client.ip));
    await record('login', caller.id, { detail: 'google' });
  });
  await forgetExpiredSessions(ctx);
  return ctx.tokenIssuer.tokenSet(caller, refreshToken);
}

async function findOrOpenAccount(ctx: AuthContext, identity: GoogleIdentity, client: Client): Promise<Caller> {
  try {
    return (await findLinkedAccount(ctx, identity, client)) ?? (await openGoogleAccount(ctx, identity, client));
  } catch (error) {
    // A concurrent sign-in by the same person, for example in another tab, may have opened the account.
    const isTaken = error instanceof AppError && error.code === emailTaken.code;
    const existing = isTaken && (await findLinkedAccount(ctx, identity, client));
    if (!existing) throw error;
    return existing;
  }
}

/** Links the account to the identity if it is not linked yet. */
async function findLinkedAccount(
  ctx: AuthContext,
  identity: GoogleIdentity,
  client: Client,
): Promise<Caller | undefined> {
  const account = await findAccountByIdentity(ctx.db, identity);
  if (!account) return undefined;
  if (!isLinked(account, identity)) await linkAccount(ctx, account.id, identity, client);
  return { id: account.id, role: account.role };
}

const isLinked = ({ googleSub, emailVerifiedAt }: LinkableAccount, { sub }: GoogleIdentity): boolean =>
  googleSub === sub && emailVerifiedAt !== null;

async function linkAccount(ctx: AuthContext, userId: number, identity: GoogleIdentity, client: Client): Promise<void> {
  const hadPassword = await ctx.audit.transaction(client, async function linkLocked(sql, record) {
    return await linkLockedAccount(sql, record, ctx, userId, identity);
  });
  if (!hadPassword) return;
  ctx.logger.warn(
    { user_id: userId },
    'the first Google sign-in to an account with an unverified email address removed its password and ended its sessions',
  );
}

/**
 * Anyone can register someone else's email address, so a password set before the email address was verified may be a
 * stranger's. Removes such a password with the second factor, all sessions and reset tokens.
 * @returns whether a password was removed
 */
async function linkLockedAccount(
  sql: Sql,
  record: RecordEvent,
  { tokenIssuer }: AuthContext,
  userId: number,
  { sub, email }: GoogleIdentity,
): Promise<boolean> {
  // Logins and password resets read the password hash under the same lock, so they wait for this database transaction.
  const account = await lockAccountForLink(sql, userId);
  // Linked to another Google account: the email address has a new holder, who must not get the old holder's shop.
  if (!account || (account.googleSub ?? sub) !== sub) throw invalidIdToken();
  if (account.googleSub === null && account.email !== email) throw invalidIdToken();
  const now = new Date();
  await updateGoogleLink(sql, userId, sub, now);
  if (account.emailVerifiedAt !== null || !(await removePassword(sql, userId))) {
    if (account.googleSub === null) await record('google_linked', userId);
    return false;
  }
  await revokeAllSessions(sql, userId, tokenIssuer.revocationTimes());
  await deleteResets(sql, userId);
  await deleteFactor(sql, userId);
  await record('google_linked', userId, { detail: 'password removed' });
  return true;
}

async function openGoogleAccount(
  { audit }: AuthContext,
  { sub, email, name }: GoogleIdentity,
  client: Client,
): Promise<Caller> {
  const id = await audit.transaction(client, async function openVerifiedAccount(sql, record) {
    const emailVerifiedAt = new Date();
    const fields = { name, email, phone: null, passwordHash: null, googleSub: sub, emailVerifiedAt };
    const userId = await openAccount(sql, fields);
    await record('registered', userId, { detail: 'google' });
    return userId;
  });
  return { id, role: 'user' };
}
