import { id, pageQuery, text, timestamp } from '@shop/core/http';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';
import { givenPassword } from '../passwords/passwords.schemas';
import { givenCode } from '../second-factor/second-factor.schemas';

export const tokenSet = z
  .object({
    token: z.string().meta({ description: 'Access token (JWT)' }),
    expires_in: z.int().meta({ description: 'Lifetime of the access token in seconds' }),
    expires_at: timestamp,
    refresh_token: z.string().meta({ description: 'Exchange it once' }),
    refresh_expires_at: timestamp.meta({ description: 'Never after the end of the session' }),
  })
  .meta({ id: 'TokenSet' });

export type TokenSet = z.input<typeof tokenSet>;

/** A token set without its tokens, which are in cookies. */
export const cookieSession = tokenSet.omit({ token: true, refresh_token: true }).meta({
  id: 'CookieSession',
  description: 'The tokens are in the cookies `access_token` and `refresh_token`',
});

export const tokens = z.union([tokenSet, cookieSession]);

export const tokenQuery = z.object({
  cookies: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'true: for browsers, the tokens are set as cookies that scripts cannot read' }),
});

export const credentials = z.strictObject({ email: emailAddress, password: givenPassword, code: givenCode.optional() });

export type Credentials = z.output<typeof credentials>;

export const givenRefreshToken = z
  .strictObject({
    refresh_token: text(1, 1000).optional().meta({ description: 'Default: the cookie `refresh_token`' }),
  })
  .optional();

const coordinate = z.string().optional();

export const publicKeySet = z
  .object({
    keys: z.array(
      z.object({
        kty: z.string(),
        kid: z.string().meta({ description: 'In the header of the tokens that it verifies' }),
        use: z.literal('sig'),
        alg: z.string(),
        crv: coordinate,
        x: coordinate,
        y: coordinate,
        n: coordinate,
        e: coordinate,
      }),
    ),
  })
  .meta({ id: 'PublicKeySet' });

export const logOutUser = z.strictObject({ user_id: id.optional() }).optional();

export const sessionQuery = z.object(pageQuery);

export type PageQuery = z.output<typeof sessionQuery>;

export const session = z
  .object({
    id,
    created_at: timestamp.meta({ description: 'The login' }),
    last_used_at: timestamp.meta({ description: 'The login or the last refresh' }),
    ip: z.string().nullable().meta({ description: 'Of the login; null if that was with an earlier release' }),
    user_agent: z.string().nullable().meta({ description: 'Of the login, at most 255 characters' }),
    current: z.boolean().meta({ description: 'Whether the access token of this request belongs to it' }),
  })
  .meta({ id: 'Session' });

export type Session = z.input<typeof session>;
