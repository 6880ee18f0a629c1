import { randomUUID } from 'node:crypto';
import { accessTokenIssuer, type Caller, privateKey, secretKey } from '@shop/core/auth';
import type { Resources } from '@shop/core/service';
import type { AuthSettings } from '../settings';
import { newOpaqueToken } from './opaque-token';
import type { RevocationTimes } from './revocations.sql';
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
  /** @param session the session to continue; a new session by default */
  newRefreshToken(session?: { familyId: string; endsAt: Date }): NewRefreshToken;
  /** When a session ends, whatever is refreshed until then. */
  endOfSession(createdAt: Date): Date;
  /** For access tokens that are revoked now. */
  revocationTimes(): RevocationTimes;
  tokenSet(owner: Caller, refreshToken: NewRefreshToken): TokenSet;
}

type Lifetimes = Pick<
  AuthSettings,
  'ACCESS_TOKEN_EXP_SECONDS' | 'REFRESH_TOKEN_EXP_SECONDS' | 'SESSION_MAX_DAYS' | 'JWT_PRIVATE_KEY'
>;
type Signing = Pick<Resources['config'], 'jwtSecret' | 'tokenRealm'>;

const DAY_MS = 86_400_000;
/** Clocks differ, and a token may be issued while it is being revoked. */
const REVOCATION_MARGIN_MS = 60_000;

export function createTokenIssuer({ jwtSecret, tokenRealm }: Signing, settings: Lifetimes): TokenIssuer {
  const { ACCESS_TOKEN_EXP_SECONDS: accessSeconds, REFRESH_TOKEN_EXP_SECONDS: refreshSeconds } = settings;
  const { JWT_PRIVATE_KEY: pem } = settings;
  // The settings have one of the two.
  const key = pem === undefined ? secretKey(jwtSecret ?? '') : privateKey(pem);
  const tokens = accessTokenIssuer(key, { realm: tokenRealm, lifetimeSeconds: accessSeconds });
  const endOfSession = (createdAt: Date) => new Date(createdAt.getTime() + settings.SESSION_MAX_DAYS * DAY_MS);
  return {
    newRefreshToken({ familyId, endsAt } = { familyId: randomUUID(), endsAt: endOfSession(new Date()) }) {
      const expiresAt = new Date(Math.min(Date.now() + refreshSeconds * 1000, endsAt.getTime()));
      return { ...newOpaqueToken(), familyId, expiresAt };
    },
    endOfSession,
    revocationTimes() {
      const now = Date.now();
      const expiresAt = new Date(now + accessSeconds * 1000 + REVOCATION_MARGIN_MS);
      return { revokedAt: new Date(now), expiresAt };
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
