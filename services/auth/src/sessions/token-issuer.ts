import { randomUUID } from 'node:crypto';
import type { AccessTokens, Caller } from '@shop/core';
import { newOpaqueToken } from './opaque-token';
import type { TokenSet } from './session.schemas';

export interface NewRefreshToken {
  token: string;
  hash: string;
  familyId: string;
  expiresAt: Date;
}

interface Parts {
  /** Issuing with the configured lifetime. */
  tokens: Pick<AccessTokens, 'issue'>;
  accessSeconds: number;
  refreshSeconds: number;
}

/** Makes what a login and a refresh answer. */
export const tokenIssuer = ({ tokens, accessSeconds, refreshSeconds }: Parts) => ({
  /** @param familyId the login that it descends from; left out: a login of its own */
  newRefreshToken(familyId: string = randomUUID()): NewRefreshToken {
    return { ...newOpaqueToken(), familyId, expiresAt: new Date(Date.now() + refreshSeconds * 1000) };
  },

  tokenSet(owner: Caller, refreshToken: NewRefreshToken): TokenSet {
    const { token, expiresAt } = tokens.issue(owner);
    return {
      token,
      expires_in: accessSeconds,
      expires_at: expiresAt.toISOString(),
      refresh_token: refreshToken.token,
      refresh_expires_at: refreshToken.expiresAt.toISOString(),
    };
  },
});

export type TokenIssuer = ReturnType<typeof tokenIssuer>;
