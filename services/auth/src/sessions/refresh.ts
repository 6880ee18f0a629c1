import type { Caller } from '@shop/core';
import type { InTransaction, Repositories } from '../repositories';
import type { ForgetExpired } from './forget-expired';
import { hashOfToken } from './opaque-token';
import { invalidRefreshToken } from './session.errors';
import type { TokenSet } from './session.schemas';
import type { NewRefreshToken, TokenIssuer } from './token-issuer';

interface Parts {
  inTransaction: InTransaction;
  issuer: TokenIssuer;
  forgetExpired: ForgetExpired;
}

interface Rotation {
  owner: Caller;
  successor: NewRefreshToken;
}

/** Spends the token for a new set; the role is the user's present one. @throws AppError `invalid_refresh_token` */
export const refresh =
  ({ inTransaction, issuer, forgetExpired }: Parts) =>
  async (token: string): Promise<TokenSet> => {
    const rotation = await inTransaction((repositories) => rotate(repositories, issuer, token));
    if (!rotation) throw invalidRefreshToken();
    await forgetExpired();
    return issuer.tokenSet(rotation.owner, rotation.successor);
  };

/** Refuses by returning undefined and not by throwing: what it revokes has to be committed. */
async function rotate(
  { sessions, accounts }: Pick<Repositories, 'sessions' | 'accounts'>,
  issuer: TokenIssuer,
  token: string,
): Promise<Rotation | undefined> {
  const held = await sessions.lockByHash(hashOfToken(token));
  if (!held) return undefined;
  const now = new Date();
  if (held.spentAt) {
    // Two hold this token, and one of them is a thief: neither goes on.
    await sessions.updateFamilyRevoked(held.familyId, now);
    return undefined;
  }
  if (held.revokedAt || held.expiresAt <= now) return undefined;
  const owner = await accounts.findCaller(held.userId);
  if (!owner) return undefined;
  const successor = issuer.newRefreshToken(held.familyId);
  await sessions.updateSpent(held.id, now);
  await sessions.insert(held.userId, successor);
  return { owner, successor };
}
