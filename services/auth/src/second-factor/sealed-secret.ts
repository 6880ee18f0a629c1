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

/** The secret, and as it is to be stored from now on: sealed anew if FACTOR_KEY has changed. */
interface OpenedSecret {
  secret: string;
  sealed: string;
}

/** @throws AppError `factor_not_configured`, also if the key of the factor is not among those given */
export function openSecret(ctx: Context, { userId, secret: sealed }: Factor): OpenedSecret {
  const opened = getSecretBox(ctx).open(sealed, contextOf(userId));
  if (opened) {
    const { text: secret, isOutdated } = opened;
    return { secret, sealed: isOutdated ? sealSecret(ctx, userId, secret) : sealed };
  }
  ctx.logger.error(
    { user_id: userId },
    'a second factor cannot be decrypted: its key is in neither FACTOR_KEY nor FACTOR_KEY_PREVIOUS',
  );
  throw factorNotConfigured();
}
