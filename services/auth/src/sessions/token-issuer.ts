import { randomUUID } from 'node:crypto';
import { accessTokenIssuer, type Caller, secretKey } from '@shop/core/auth';
import type { Resources } from '@shop/core/service';
import type { AuthSettings } from '../settings';
import { newOpaqueToken } from './opaque-token';
import type { TokenSet } from './sessions.schemas';

export interface NewRefreshToken {
  token: string;
  hash: string;
  /** The session. */
  familyId: string;
  expiresAt: Date;
}

/** Creates the tokens in the responses to login and refresh. */
export interface TokenIssuer {
  /** @param familyId the session to continue; a new session by default */
  newRefreshToken(familyId?: string): NewRefreshToken;
  tokenSet(owner: Caller, refreshToken: NewRefreshToken): TokenSet;
}

type Lifetimes = Pick<AuthSettings, 'ACCESS_TOKEN_EXP_SECONDS' | 'REFRESH_TOKEN_EXP_SECONDS'>;

type Signing = Pick<Resources['config'], 'jwtSecret' | 'tokenRealm'>;

export function createTokenIssuer({ jwtSecret, tokenRealm }: Signing, settings: Lifetimes): TokenIssuer {
  const { ACCESS_TOKEN_EXP_SECONDS: accessSeconds, REFRESH_TOKEN_EXP_SECONDS: refreshSeconds } = settings;
  const tokens = accessTokenIssuer(secretKey(jwtSecret), { realm: tokenRealm, lifetimeSeconds: accessSeconds });
  return {
    newRefreshToken(familyId = randomUUID()) {
      return { ...newOpaqueToken(), familyId, expiresAt: new Date(Date.now() + refreshSeconds * 1000) };
    },
    tokenSet(owner, refreshToken) {
      const { token, expiresAt } = tokens.issue({ ...owner, sessionId: refreshToken.familyId });
      return {
        token,
        expires_in: accessSeconds,
        expires_at: expiresAt.toISOString(),
        refresh_token: refreshToken.token,
        refresh_expires_at: refreshToken.expiresAt.toISOString(),
      };
    },
  };
}
