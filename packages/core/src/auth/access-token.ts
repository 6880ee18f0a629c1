import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { TokenKey } from './token-key';

export const roles = ['user', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The authenticated user of a request, as stated in the access token. */
export interface Caller {
  id: number;
  role: Role;
  /** The session that the token belongs to. Tokens of earlier releases, and those of other issuers, name none. */
  sessionId?: string | undefined;
}

/** A token whose signature and claims are right. It may have been revoked since. */
export interface VerifiedToken {
  caller: Caller;
  /** Seconds since the epoch. */
  issuedAt: number;
}

export interface AccessTokenIssuer {
  /** Returns a JWT (RFC 7519) of the type `at+jwt` (RFC 9068), and its expiry time. */
  issue(caller: Caller): { token: string; expiresAt: Date };
}

/** Why a token is not accepted. Only a token that one of our keys signed is called expired. */
type TokenDefect = 'expired' | 'invalid';

export interface AccessTokenVerifier {
  /**
   * Returns `invalid` if the token is malformed, issued in the future, not signed with one of our keys and that key's
   * algorithm, or made for something else (`typ`, `iss`, `aud`).
   */
  verify(token: string): VerifiedToken | TokenDefect;
}

/** `iat` may be this far in the future, because the clocks of two machines differ. */
const CLOCK_SKEW_SECONDS = 30;
/** Size of the cache of verified tokens: a client sends the same token with every request. */
const MAX_VERIFIED = 10_000;

/** No payload can be equal to it. */
const EXPIRED = Symbol('expired');

const TYPE = 'at+jwt';
/** JWT is what earlier releases and common libraries write. */
const ACCEPTED_TYPES = new Set([undefined, 'jwt', TYPE, `application/${TYPE}`]);

interface IssuerOptions {
  /** The issuer and the audience of the tokens, as `iss` and `aud`. */
  realm?: string | undefined;
  lifetimeSeconds?: number;
}

export function accessTokenIssuer(
  { id: kid, algorithm, key }: TokenKey,
  { realm, lifetimeSeconds = 3600 }: IssuerOptions = {},
): AccessTokenIssuer {
  return {
    issue({ id, role, sessionId }) {
      const issuedAt = Math.floor(Date.now() / 1000);
      const expires = issuedAt + lifetimeSeconds;
      const claims = {
        ...(realm === undefined ? {} : { iss: realm, aud: realm }),
        sub: String(id),
        user_id: id,
        role,
        ...(sessionId === undefined ? {} : { sid: sessionId }),
        iat: issuedAt,
        exp: expires,
      };
      const header = { alg: algorithm, typ: TYPE, kid };
      return { token: jwt.sign(claims, key, { algorithm, header }), expiresAt: new Date(expires * 1000) };
    },
  };
}

/** @param realm an absent `iss` or `aud` is accepted, any other is not. undefined: neither is checked */
const payloadOf = (realm: string | undefined) =>
  z.object({
    sub: z
      .string()
      .regex(/^[1-9]\d{0,15}$/)
      .transform(Number)
      .refine(Number.isSafeInteger),
    role: z.enum(roles),
    sid: z.string().min(1).max(64).optional(),
    iat: z.int(),
    exp: z.int(),
    ...(realm === undefined
      ? {}
      : {
          iss: z.literal(realm).optional(),
          aud: z
            .union([z.literal(realm), z.array(z.string()).refine((audience) => audience.includes(realm))])
            .optional(),
        }),
  });

interface Cached extends VerifiedToken {
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** @param keys any of them may have signed a token */
export function accessTokenVerifier(keys: readonly TokenKey[], realm?: string): AccessTokenVerifier {
  const payloadSchema = payloadOf(realm);
  const verified = new LRUCache<string, Cached>({ max: MAX_VERIFIED });

  /** A token that names its key is tried with no other. Tokens of earlier releases name none. */
  function candidatesFor({ kid, alg, typ }: jwt.JwtHeader): TokenKey[] {
    if (!ACCEPTED_TYPES.has(typ?.toLowerCase())) return [];
    return keys.filter(({ id, algorithm }) => algorithm === alg && (kid === undefined || kid === id));
  }

  /** @returns undefined if no key fits */
  function payloadIn(token: string): unknown {
    const header = jwt.decode(token, { complete: true })?.header;
    for (const { key, algorithm } of header ? candidatesFor(header) : []) {
      try {
        return jwt.verify(token, key, { algorithms: [algorithm] });
      } catch (error) {
        // jsonwebtoken checks the signature before the expiry time.
        if (error instanceof jwt.TokenExpiredError) return EXPIRED;
      }
    }
    return undefined;
  }

  return {
    verify(token) {
      const cached = verified.get(token);
      if (cached) return cached.expiresAt > Date.now() ? cached : 'expired';
      const found = payloadIn(token);
      if (found === EXPIRED) return 'expired';
      const payload = payloadSchema.safeParse(found);
      if (!payload.success) return 'invalid';
      const { sub, role, sid, iat, exp } = payload.data;
      if (iat > Date.now() / 1000 + CLOCK_SKEW_SECONDS) return 'invalid';
      const caller = Object.freeze({ id: sub, role, sessionId: sid });
      const result = { caller, issuedAt: iat, expiresAt: exp * 1000 };
      verified.set(token, result);
      return result;
    },
  };
}
