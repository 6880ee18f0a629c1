import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

export const roles = ['user', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The authenticated user of a request, as stated in the access token. */
export interface Caller {
  id: number;
  role: Role;
}

/** `iat` may be this far in the future, because the clocks of two machines differ. */
const CLOCK_SKEW_SECONDS = 30;
/** Size of the cache of verified tokens: a client sends the same token with every request. */
const MAX_VERIFIED = 10_000;

const payloadSchema = z.object({
  sub: z
    .string()
    .regex(/^[1-9]\d{0,15}$/)
    .transform(Number)
    .refine(Number.isSafeInteger),
  role: z.enum(roles),
  iat: z.int(),
  exp: z.int(),
});

export interface AccessTokens {
  /** Returns a JWT (RFC 7519) signed with HS256, and its expiry time. */
  issue(caller: Caller): { token: string; expiresAt: Date };
  /** Returns undefined if the token is malformed, expired, issued in the future, or not signed with our key and HS256. */
  verify(token: string): Caller | undefined;
}

interface Verified {
  caller: Caller;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** @param lifetimeSeconds only needed by the service that issues tokens */
export function accessTokens(secret: string, lifetimeSeconds = 3600): AccessTokens {
  // Given a string, jsonwebtoken first tries to parse it as a public key on every call, which takes half a millisecond.
  const key = createSecretKey(Buffer.from(secret));
  const verified = new LRUCache<string, Verified>({ max: MAX_VERIFIED });
  return {
    issue({ id, role }) {
      const issuedAt = Math.floor(Date.now() / 1000);
      const expires = issuedAt + lifetimeSeconds;
      const claims = { sub: String(id), user_id: id, role, iat: issuedAt, exp: expires };
      return { token: jwt.sign(claims, key, { algorithm: 'HS256' }), expiresAt: new Date(expires * 1000) };
    },
    verify(token) {
      const cached = verified.get(token);
      if (cached) return cached.expiresAt > Date.now() ? cached.caller : undefined;
      try {
        const payload = payloadSchema.safeParse(jwt.verify(token, key, { algorithms: ['HS256'] }));
        if (!payload.success) return undefined;
        const { sub, role, iat, exp } = payload.data;
        if (iat > Date.now() / 1000 + CLOCK_SKEW_SECONDS) return undefined;
        const caller = Object.freeze({ id: sub, role });
        verified.set(token, { caller, expiresAt: exp * 1000 });
        return caller;
      } catch {
        return undefined;
      }
    },
  };
}
