import jwt from 'jsonwebtoken';
import { z } from 'zod';

export const roles = ['user', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who calls, as the access token says. */
export interface Caller {
  id: number;
  role: Role;
}

/** `iat` may lie this far in the future: clocks of two machines differ. */
const CLOCK_SKEW_SECONDS = 30;

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
  /** A JWT (RFC 7519) signed with HS256 and the moment it expires. */
  issue(caller: Caller): { token: string; expiresAt: Date };
  /** undefined: malformed, expired, from the future, wrongly signed or signed with another algorithm. */
  verify(token: string): Caller | undefined;
}

/** @param lifetimeSeconds only needed where tokens are issued */
export function accessTokens(secret: string, lifetimeSeconds = 3600): AccessTokens {
  return {
    issue({ id, role }) {
      const issuedAt = Math.floor(Date.now() / 1000);
      const expires = issuedAt + lifetimeSeconds;
      const claims = { sub: String(id), user_id: id, role, iat: issuedAt, exp: expires };
      return { token: jwt.sign(claims, secret, { algorithm: 'HS256' }), expiresAt: new Date(expires * 1000) };
    },
    verify(token) {
      try {
        const payload = payloadSchema.safeParse(jwt.verify(token, secret, { algorithms: ['HS256'] }));
        if (!payload.success) return undefined;
        if (payload.data.iat > Date.now() / 1000 + CLOCK_SKEW_SECONDS) return undefined;
        return { id: payload.data.sub, role: payload.data.role };
      } catch {
        return undefined;
      }
    },
  };
}
