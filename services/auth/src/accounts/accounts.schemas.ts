import { roles } from '@shop/core/auth';
import { changesOf, id, nameText, pageQuery, searchText, text, timestamp } from '@shop/core/http';
import { z } from 'zod';
import { verificationToken } from '../email/email.schemas';
import { newPassword } from '../passwords/passwords.schemas';
import { cookieSession, tokenSet } from '../sessions/sessions.schemas';
import { emailAddress } from './email-address';

const phoneNumber = text(1, 255)
  .overwrite((value) => value.replace(/[ \-().]/g, ''))
  .regex(/^\+?\d{6,20}$/, 'must be a phone number: 6 to 20 digits, optionally after a +')
  .meta({ pattern: undefined, description: '6 to 20 digits, optional +; spaces and -(). are ignored' });

export const user = z
  .object({
    id,
    name: z.string(),
    email: z.string(),
    email_verified: z.boolean(),
    phone: z.string().nullable(),
    role: z.enum(roles),
    created_at: timestamp,
  })
  .meta({ id: 'User' });

export type User = z.input<typeof user>;

export const newAccount = z.strictObject({
  name: nameText,
  email: emailAddress,
  phone: phoneNumber,
  password: newPassword,
});

const verification = { verification_token: verificationToken.optional() };
const registeredTokenSet = tokenSet.extend(verification).meta({ id: 'RegisteredTokenSet' });

/** The response to a registration. */
export const registeredTokens = z.union([
  registeredTokenSet,
  cookieSession.extend(verification).meta({ id: 'RegisteredCookieSession' }),
]);

export type RegisteredTokenSet = z.input<typeof registeredTokenSet>;

export type NewAccount = z.output<typeof newAccount>;

export const userChange = changesOf({ name: nameText, phone: phoneNumber, role: z.enum(roles) });

export type UserChange = z.output<typeof userChange>;

export const userQuery = z.object({ ...pageQuery, search: searchText.optional() });

export type UserQuery = z.output<typeof userQuery>;
