import { clientNetwork } from '@shop/core/rate-limit';
import type { Client } from '../audit/client';
import { queueVerification } from '../email/send-verification';
import { insertKnownClient } from '../guessing/known-clients.sql';
import { assertUncommon } from '../passwords/common-passwords';
import type { AuthContext } from '../service';
import { insertSession } from '../sessions/sessions.sql';
import type { NewAccount, RegisteredTokenSet } from './accounts.schemas';
import { openAccount } from './open-account';

/** Opens an account with a store and starts a session. */
export async function register(
  ctx: AuthContext,
  account: NewAccount,
  client: Client,
): Promise<{ id: number; tokenSet: RegisteredTokenSet }> {
  const { name, email, phone, password } = account;
  await assertUncommon(password);
  const network = clientNetwork(client.ip);
  const passwordHash = await ctx.passwordHasher.hash(password, network);
  const refreshToken = ctx.tokenIssuer.newRefreshToken({ withFactor: false });
  const { id, verification } = await ctx.audit.transaction(client, async function insertAccountAndSession(sql, record) {
    const fields = { name, email, phone, passwordHash, googleSub: null, emailVerifiedAt: null };
    const userId = await openAccount(sql, fields);
    await insertSession(sql, userId, refreshToken, client);
    await insertKnownClient(sql, userId, network);
    await record('registered', userId);
    return { id: userId, verification: await queueVerification(ctx, sql, { id: userId, email }, client.ip) };
  });
  ctx.outbox?.wake();
  const tokenSet = ctx.tokenIssuer.tokenSet({ id, role: 'user' }, refreshToken);
  return { id, tokenSet: { ...tokenSet, ...(verification === undefined ? {} : { verification_token: verification }) } };
}
