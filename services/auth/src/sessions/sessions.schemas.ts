import { id, text, timestamp } from '@shop/core/http';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';
import { givenPassword } from '../passwords/passwords.schemas';

export const tokenSet = z
  .object({
    token: z.string().meta({ description: 'Access token (JWT)' }),
    expires_in: z.int().meta({ description: 'Lifetime of the access token in seconds' }),
    expires_at: timestamp,
    refresh_token: z.string().meta({ description: 'Can be used once' }),
    refresh_expires_at: timestamp,
  })
  .meta({ id: 'TokenSet' });

export type TokenSet = z.input<typeof tokenSet>;

export const credentials = z.strictObject({ email: emailAddress, password: givenPassword });

export type Credentials = z.output<typeof credentials>;

export const givenRefreshToken = z.strictObject({ refresh_token: text(1, 1000) });

export const logOutUser = z.strictObject({ user_id: id.optional() }).optional();
