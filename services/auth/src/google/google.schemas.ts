import { text } from '@shop/core/http';
import { hasVisibleCharacter } from '@shop/core/text';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';
import { givenCode } from '../second-factor/second-factor.schemas';

export const googleSignIn = z
  .strictObject({
    id_token: text(1, 16_384).meta({
      description: 'The ID token (JWT) that Google has given to your application',
      examples: ['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
    }),
    code: givenCode.optional(),
  })
  .meta({
    id: 'GoogleSignIn',
    description: 'An ID token, and a code if the account has a second factor',
    examples: [{ id_token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl' }],
  });

export type GoogleSignIn = z.output<typeof googleSignIn>;

const MAX_NAME = 255;

/** Google's display name, trimmed to our limits. Empty if it has no visible character. */
const asName = (name: string): string => {
  const cut = [...name.toWellFormed().replaceAll('\0', '').trim()].slice(0, MAX_NAME).join('').trim();
  return hasVisibleCharacter(cut) ? cut : '';
};

/** The claims we need from an ID token whose signature, issuer, audience and times are already verified. */
export const googleIdentity = z
  .object({
    sub: z.string().regex(/^[\x21-\x7e]{1,255}$/),
    email: emailAddress,
    email_verified: z.literal(true),
    name: z.string().optional(),
    // The library accepts a token for five minutes after it expires; we do not.
    exp: z.number().refine((seconds) => seconds * 1000 > Date.now()),
  })
  .transform(({ sub, email, name }) => ({
    sub,
    email,
    name: asName(name ?? '') || asName(email.split('@')[0] ?? ''),
  }));

export type GoogleIdentity = z.output<typeof googleIdentity>;

const jwk = z.looseObject({ kid: z.string(), kty: z.string() });

/** Google publishes its keys in two forms: `{ kid: PEM certificate }` (v1) and a JWK set (v3). */
export const publishedKeys = z.union([z.object({ keys: z.array(jwk) }), z.record(z.string(), z.string())]);
