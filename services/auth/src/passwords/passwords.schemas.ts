import { checkInOrder, storable, text } from '@shop/core/http';
import { characterCount } from '@shop/core/text';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';

const MIN_CHARACTERS = 8;
const MAX_CHARACTERS = 256;

/** In NFC, which is what is hashed. Not trimmed: spaces are significant. */
export const newPassword = z
  .string()
  .overwrite((value) => value.normalize('NFC'))
  .check(
    checkInOrder(
      storable,
      [
        (value) => characterCount(value) >= MIN_CHARACTERS,
        'too_small',
        `must have at least ${MIN_CHARACTERS} characters`,
      ],
      [(value) => characterCount(value) <= MAX_CHARACTERS, 'too_big', `must have at most ${MAX_CHARACTERS} characters`],
    ),
  )
  .meta({
    format: 'password',
    minLength: MIN_CHARACTERS,
    maxLength: MAX_CHARACTERS,
    description:
      'Spaces count. Different Unicode encodings of a character are the same. The 10,000 most common are refused.',
    examples: ['correct horse battery'],
  });

/** At a login a password of the wrong length is a wrong password, not an invalid request. */
export const givenPassword = z
  .string()
  .check(checkInOrder(storable, [(value) => value !== '', 'too_small', 'must not be empty']))
  .meta({
    format: 'password',
    minLength: 1,
    description: 'The password of the account',
    examples: ['correct horse battery'],
  });

export const RESET_SECONDS = 3600;

const EXAMPLE_TOKEN = 'Zt7mXw2kq0vB3yTnE5r1cWu4HsJ8QfPa';

export const resetRequest = z
  .strictObject({ email: emailAddress })
  .meta({ id: 'PasswordResetRequest', description: 'Whose password was forgotten' });

const expiresIn = z.int().meta({ description: 'Lifetime of the reset token in seconds', examples: [RESET_SECONDS] });

export const resetInResponse = z
  .object({
    reset_token: z.string().meta({ description: 'What the mail would contain', examples: [EXAMPLE_TOKEN] }),
    expires_in: expiresIn,
  })
  .meta({ id: 'PasswordResetToken', description: 'In the local environment only' });

export const resetByMail = z
  .object({ expires_in: expiresIn })
  .meta({ id: 'PasswordResetMail', description: 'Says nothing about whether there is such an account' });

export const passwordReset = z
  .strictObject({
    token: text(1, 1000).meta({ description: 'The token of the mail', examples: [EXAMPLE_TOKEN] }),
    password: newPassword,
  })
  .meta({ id: 'PasswordReset', description: 'A token and the new password' });

export const passwordChange = z.strictObject({ current_password: givenPassword, password: newPassword }).meta({
  id: 'PasswordChange',
  description: 'The current and the new password',
  examples: [{ current_password: 'correct horse battery', password: 'staple that battery' }],
});

export type PasswordChange = z.output<typeof passwordChange>;

export type PasswordReset = z.output<typeof passwordReset>;
