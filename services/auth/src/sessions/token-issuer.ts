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
  /** Whether the session began with a second factor. */
  withFactor: boolean;
  expiresAt: Date;
}

/** Creates the tokens in the responses to login and refresh. */
export interface TokenIssuer {
  /** For the session to continue, or without a `familyId` for a new session. */
  newRefreshToken(session: { withFactor: boolean; familyId?: string; endsAt?: Date }): NewRefreshToken;
  /** When a session ends, whatever is refreshed until then. */
  endOfSession(createdAt: Date): Date;
  /** For access tokens that are revoked now. */
  revocationTimes(): RevocationTimes;
  /** Where admins need a second factor, an admin whose session began without one gets the role `user`. */
  tokenSet(owner: Caller, refreshToken: NewRefreshToken): TokenSet;
}

type TokenSettings = Pick<
  AuthSettings,
  | 'ACCESS_TOKEN_EXP_SECONDS'
  | 'REFRESH_TOKEN_EXP_SECONDS'
  | 'SESSION_MAX_DAYS'
  | 'JWT_PRIVATE_KEY'
  | 'REQUIRE_ADMIN_FACTOR'
>;
type Signing = Pick<Resources['config'], 'jwtSecret' | 'tokenRealm'>;

const DAY_MS = 86_400_000;
/** Clocks differ, and a token may be issued while it is being revoked. */
const REVOCATION_MARGIN_MS = 60_000;

export function createTokenIssuer({ jwtSecret, tokenRealm }: Signing, settings: TokenSettings): TokenIssuer {
  const { ACCESS_TOKEN_EXP_SECONDS: accessSeconds, REFRESH_TOKEN_EXP_SECONDS: refreshSeconds } = settings;
  const { JWT_PRIVATE_KEY: pem } = settings;
  // The settings have one of the two.
  const key = pem === undefined ? secretKey(jwtSecret ?? '') : privateKey(pem);
  const tokens = accessTokenIssuer(key, { realm: tokenRealm, lifetimeSeconds: accessSeconds });
  const endOfSession = (createdAt: Date) => new Date(createdAt.getTime() + settings.SESSION_MAX_DAYS * DAY_MS);
  return {
    newRefreshToken({ withFactor, familyId = randomUUID(), endsAt = endOfSession(new Date()) }) {
      const expiresAt = new Date(Math.min(Date.now() + refreshSeconds * 1000, endsAt.getTime()));
      return { ...newOpaqueToken(), familyId, withFactor, expiresAt };
    },
    endOfSession,
    revocationTimes() {
      const now = Date.now();
      const expiresAt = new Date(now + accessSeconds * 1000 + REVOCATION_MARGIN_MS);
      return { revokedAt: new Date(now), expiresAt };
    },
    tokenSet(owner, refreshToken) {
      const role = settings.REQUIRE_ADMIN_FACTOR && !refreshToken.withFactor ? 'user' : owner.role;
      const { token, expiresAt } = tokens.issue({ ...owner, role, sessionId: refreshToken.familyId });
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
