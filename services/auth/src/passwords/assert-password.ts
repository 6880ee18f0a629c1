import { clientNetwork } from '@shop/core/rate-limit';
import { countAttempt, uncountAttempt } from '../guessing/attempts';
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
  clientIp: string,
): Promise<string> {
  const client = clientNetwork(clientIp);
  const account = await findCredentials(ctx.db, email, client);
  const attempt = account?.knowsClient ? undefined : await countAttempt(ctx, email);
  const match = await ctx.passwordHasher.match(password, account?.passwordHash, client);
  if (!account?.passwordHash || match === 'none') throw wrongPassword();
  if (!attempt) return account.passwordHash;
  await ctx.db.transaction(async function uncount(sql) {
    await uncountAttempt(sql, attempt);
  });
  return account.passwordHash;
}
