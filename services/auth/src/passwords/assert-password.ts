import { clientNetwork } from '@shop/core/rate-limit';
import type { Client } from '../audit/client';
import { countAttempt, recordFailure, uncountAttempt } from '../guessing/attempts';
import type { AuthContext } from '../service';
import { findCredentials } from './credentials.sql';
import { wrongPassword } from './passwords.errors';

/**
 * For changes that need more than an access token. Wrong passwords are counted with those of logins. An account without a
 * password has no right one.
 * @returns the hash that it matches
 * @throws AppError `wrong_password`, `too_many_attempts`
 */
export async function assertPassword(
  ctx: AuthContext,
  email: string,
  password: string,
  client: Client,
): Promise<string> {
  const network = clientNetwork(client.ip);
  const account = await findCredentials(ctx.db, email, network);
  const attempt = account?.knowsClient ? undefined : await countAttempt(ctx, email);
  const match = await ctx.passwordHasher.match(password, account?.passwordHash, network);
  if (!account?.passwordHash || match === 'none') {
    await recordFailure(ctx, attempt, account?.id, client);
    throw wrongPassword();
  }
  if (!attempt) return account.passwordHash;
  await ctx.db.transaction(async function uncount(sql) {
    await uncountAttempt(sql, attempt);
  });
  return account.passwordHash;
}
