import { id, pageQuery, text, timestamp } from '@shop/core/http';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';
import { givenPassword } from '../passwords/passwords.schemas';
import { givenCode } from '../second-factor/second-factor.schemas';

const REFRESH_TOKEN = 'vq7Yw2kq0m1xJf8cBzTn5RdHs3LuGaEp';

export const tokenSet = z
  .object({
    token: z
      .string()
      .meta({ description: 'Access token (JWT)', examples: ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'] }),
    expires_in: z.int().meta({ description: 'Lifetime of the access token in seconds', examples: [3600] }),
    expires_at: timestamp.meta({ description: 'When the access token ends', examples: ['2026-01-31T10:00:00.000Z'] }),
    refresh_token: z.string().meta({ description: 'Exchange it once, for new tokens', examples: [REFRESH_TOKEN] }),
    refresh_expires_at: timestamp.meta({
      description: 'When the refresh token ends: never after the session',
      examples: ['2026-03-02T09:00:00.000Z'],
    }),
  })
  .meta({ id: 'TokenSet', description: 'The tokens of a session' });

export type TokenSet = z.input<typeof tokenSet>;

/** A token set without its tokens, which are in cookies. */
export const cookieSession = tokenSet.omit({ token: true, refresh_token: true }).meta({
  id: 'CookieSession',
  description: 'The tokens are in the cookies `access_token` and `refresh_token`',
});

export const tokens = z.union([tokenSet, cookieSession]).meta({
  id: 'Tokens',
  description: 'A token set, or with `?cookies=true` a session in cookies',
});

export const tokenQuery = z.object({
  cookies: z
    .enum(['true', 'false'])
    .optional()
    .meta({
      description: 'true: for browsers, the tokens are set as cookies that scripts cannot read',
      examples: ['false'],
    }),
});

export const credentials = z
  .strictObject({ email: emailAddress, password: givenPassword, code: givenCode.optional() })
  .meta({
    id: 'Credentials',
    description: 'Email address and password, and a code if the account has a second factor',
    examples: [{ email: 'ada@example.com', password: 'correct horse battery' }],
  });

export type Credentials = z.output<typeof credentials>;

export const givenRefreshToken = z
  .strictObject({
    refresh_token: text(1, 1000)
      .optional()
      .meta({
        description: 'A refresh token. Default: the cookie `refresh_token`',
        examples: [REFRESH_TOKEN],
      }),
  })
  .meta({ id: 'GivenRefreshToken', description: 'The token; absent if it is a cookie' })
  .optional();

const coordinate = z
  .string()
  .optional()
  .meta({
    description: 'A number of the key, base64url (RFC 7518)',
    examples: ['f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU'],
  });

export const publicKeySet = z
  .object({
    keys: z
      .array(
        z.object({
          kty: z.string().meta({ description: 'The type of the key', examples: ['EC'] }),
          kid: z.string().meta({ description: 'In the header of the tokens that it verifies', examples: ['3Dk9x2Qa'] }),
          use: z.literal('sig').meta({ description: 'For signatures' }),
          alg: z.string().meta({ description: 'The algorithm of the signatures', examples: ['ES256'] }),
          crv: coordinate.meta({ description: 'The curve of an EC key', examples: ['P-256'] }),
          x: coordinate,
          y: coordinate,
          n: coordinate,
          e: coordinate,
        }),
      )
      .meta({ description: 'The keys in use, and those of tokens that are still valid' }),
  })
  .meta({
    id: 'PublicKeySet',
    description: 'A JWK set (RFC 7517)',
    examples: [
      {
        keys: [
          {
            kty: 'EC',
            kid: '3Dk9x2Qa',
            use: 'sig',
            alg: 'ES256',
            crv: 'P-256',
            x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
            y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
          },
        ],
      },
    ],
  });

export const logOutUser = z
  .strictObject({
    user_id: id.optional().meta({ description: 'For an admin: whose sessions end. Default: your own' }),
  })
  .meta({ id: 'LogOutUser', description: 'Whose sessions end', examples: [{}] })
  .optional();

export const sessionQuery = z.object(pageQuery);

export const session = z
  .object({
    id: id.meta({ description: 'The id of the session' }),
    created_at: timestamp.meta({ description: 'The login' }),
    last_used_at: timestamp.meta({ description: 'The login or the last refresh' }),
    ip: z
      .string()
      .nullable()
      .meta({
        description: 'IP address at the login; null if that was with an earlier release',
        examples: ['192.0.2.1'],
      }),
    user_agent: z
      .string()
      .nullable()
      .meta({ description: 'Program at the login, at most 255 characters', examples: ['Mozilla/5.0'] }),
    current: z
      .boolean()
      .meta({ description: 'Whether the access token of this request belongs to it', examples: [true] }),
  })
  .meta({ id: 'Session', description: 'A login on one client' });

export type Session = z.input<typeof session>;
