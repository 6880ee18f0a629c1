import type { AuthContext } from '../service';
import { factorNotConfigured } from './second-factor.errors';
import type { Factor } from './second-factors.sql';
import type { SecretBox } from './secret-box';

type Context = Pick<AuthContext, 'factorSecrets' | 'logger'>;

const contextOf = (userId: number): string => `user:${userId}`;

function getSecretBox({ factorSecrets }: Pick<AuthContext, 'factorSecrets'>): SecretBox {
  if (!factorSecrets) throw factorNotConfigured();
  return factorSecrets;
}

export const sealSecret = (ctx: Context, userId: number, secret: string): string =>
  getSecretBox(ctx).seal(secret, contextOf(userId));

/** @throws AppError `factor_not_configured`, also with another FACTOR_KEY than that of the factor */
export function openSecret(ctx: Context, { userId, secret }: Factor): string {
  const opened = getSecretBox(ctx).open(secret, contextOf(userId));
  if (opened !== undefined) return opened;
  ctx.logger.error(
    { user_id: userId },
    'a second factor cannot be decrypted: FACTOR_KEY is not the one it was set up with',
  );
  throw factorNotConfigured();
}
