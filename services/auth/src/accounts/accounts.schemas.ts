import { roles } from '@shop/core/auth';
import { changesOf, id, type ListQuery, nameText, pageQuery, searchText, text, timestamp } from '@shop/core/http';
import { z } from 'zod';
import { verificationToken } from '../email/email.schemas';
import { newPassword } from '../passwords/passwords.schemas';
import { cookieSession, tokenSet } from '../sessions/sessions.schemas';
import { emailAddress } from './email-address';

const phoneNumber = text(1, 255)
  .overwrite((value) => value.replace(/[ \-().]/g, ''))
  .regex(/^\+?\d{6,20}$/, 'must be a phone number: 6 to 20 digits, optionally after a +')
  .meta({
    pattern: undefined,
    description: '6 to 20 digits, optional +; spaces and -(). are ignored',
    examples: ['+49 30 1234567'],
  });

const role = z.enum(roles).meta({ description: 'What the account may do', examples: ['user'] });
const name = nameText.meta({ description: 'The name of the person', examples: ['Ada Lovelace'] });

export const user = z
  .object({
    id: id.meta({ description: 'The id of the user' }),
    name: z.string().meta({ description: 'The name', examples: ['Ada Lovelace'] }),
    email: z.string().meta({ description: 'The email address, in lower case', examples: ['ada@example.com'] }),
    email_verified: z.boolean().meta({ description: 'Whether the user has confirmed it', examples: [true] }),
    phone: z
      .string()
      .nullable()
      .meta({
        description: 'Digits, optional +; null if the account was opened with Google and has none yet',
        examples: ['+49301234567'],
      }),
    role,
    created_at: timestamp.meta({ description: 'When the account was opened' }),
  })
  .meta({ id: 'User', description: 'An account' });

export type User = z.input<typeof user>;

export const newAccount = z
  .strictObject({
    name,
    email: emailAddress,
    phone: phoneNumber,
    password: newPassword,
  })
  .meta({ id: 'NewAccount', description: 'Email address and phone must be new' });

const verification = { verification_token: verificationToken.optional() };
const registeredTokenSet = tokenSet.extend(verification).meta({
  id: 'RegisteredTokenSet',
  description: 'The tokens of a new account',
});

/** The response to a registration. */
export const registeredTokens = z
  .union([
    registeredTokenSet,
    cookieSession.extend(verification).meta({
      id: 'RegisteredCookieSession',
      description: 'A new account. The tokens are in the cookies `access_token` and `refresh_token`',
    }),
  ])
  .meta({ id: 'RegisteredTokens', description: 'A token set, or with `?cookies=true` a session in cookies' });

export type RegisteredTokenSet = z.input<typeof registeredTokenSet>;

export type NewAccount = z.output<typeof newAccount>;

export const userChange = changesOf({ name, phone: phoneNumber, role }).meta({
  id: 'UserChanges',
  description: 'The fields to change, at least one',
  examples: [{ name: 'Ada King' }],
});

export type UserChange = z.output<typeof userChange>;

export const userQuery = z.object({
  ...pageQuery,
  search: searchText.optional().meta({ description: 'A part of the name or the email address', examples: ['ada'] }),
});

export type UserQuery = ListQuery<typeof userQuery>;
