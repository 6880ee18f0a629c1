import { errorCode } from '@shop/core/errors';
import { clientNetwork } from '@shop/core/rate-limit';
import type { Client } from '../audit/client';
import { type Attempt, countAttempt, recordFailure, uncountAttempt } from '../guessing/attempts';
import { insertKnownClient } from '../guessing/known-clients.sql';
import { type Account, findCredentials, replaceHash } from '../passwords/credentials.sql';
import { isSeededLogin } from '../passwords/seeded-admin';
import { assertSecondFactor } from '../second-factor/spend-code';
import type { AuthContext } from '../service';
import { forgetExpiredSessions } from './forget-expired-sessions';
import { invalidCredentials } from './sessions.errors';
import type { Credentials, TokenSet } from './sessions.schemas';
import { insertSessionIfPasswordIs } from './sessions.sql';

interface Login {
  given: Credentials;
  client: Client;
  network: string;
  /** undefined for a client that has logged in to the account before. */
  attempt: Attempt | undefined;
  /** Whether the account has a second factor; undefined until its code was checked, which works only once. */
  withFactor?: boolean;
}

/** An unknown email address, an account without a password and a wrong password take the same code path and time. */
export async function logIn(ctx: AuthContext, given: Credentials, client: Client): Promise<TokenSet> {
  const network = clientNetwork(client.ip);
  const account = await findCredentials(ctx.db, given.email, network);
  const attempt = account?.knowsClient ? undefined : await countAttempt(ctx, given.email);
  try {
    const tokenSet = await startSession(ctx, { given, client, network, attempt }, account);
    await forgetExpiredSessions(ctx);
    return tokenSet;
  } catch (error) {
    if (errorCode(error) === invalidCredentials.code) {
      await recordFailure(ctx, attempt, account?.id, client);
    } else if (attempt) {
      // For example an overload, which says nothing about the password.
      await ctx.db.transaction(async function uncount(sql) {
        await uncountAttempt(sql, attempt);
      });
    }
    throw error;
  }
}

async function startSession(ctx: AuthContext, login: Login, account: Account | undefined): Promise<TokenSet> {
  const { given, client, network, attempt } = login;
  // A replica that is not ready still serves requests that bypass the load balancer: never accept the published password.
  const isPublished = ctx.config.appEnv === 'production' && isSeededLogin(given);
  const match = await ctx.passwordHasher.match(isPublished ? '' : given.password, account?.passwordHash, network);
  if (!account?.passwordHash || match === 'none') throw invalidCredentials();
  const { id, passwordHash } = account;
  const withFactor = login.withFactor ?? (await assertSecondFactor(ctx, id, given.code));
  const refreshToken = ctx.tokenIssuer.newRefreshToken({ withFactor });
  const isCurrent = await ctx.audit.transaction(client, async function insertSession(sql, record) {
    if (!(await insertSessionIfPasswordIs(sql, passwordHash, id, refreshToken, client))) return false;
    if (attempt) {
      await insertKnownClient(sql, id, network);
      await uncountAttempt(sql, attempt);
    }
    await record('login', id, { detail: 'password' });
    return true;
  });
  if (!isCurrent) {
    // Another login has stored another hash of the same password, or the password was reset, which ends all sessions: none
    // may start with the old password after that. So the password is compared again.
    return await startSession(ctx, { ...login, withFactor }, await findCredentials(ctx.db, given.email, network));
  }
  if (match === 'outdated') await updateHash(ctx, login, id, passwordHash);
  return ctx.tokenIssuer.tokenSet(account, refreshToken);
}

/** A failure here does not fail the login. */
async function updateHash(ctx: AuthContext, { given, network }: Login, userId: number, oldHash: string): Promise<void> {
  try {
    await replaceHash(ctx.db, userId, oldHash, await ctx.passwordHasher.hash(given.password, network));
  } catch (error) {
    ctx.logger.warn({ err: error, user_id: userId }, 'could not renew a password hash, retrying with the next login');
  }
}
