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
  });

/** At a login a password of the wrong length is a wrong password, not an invalid request. */
export const givenPassword = z
  .string()
  .check(checkInOrder(storable, [(value) => value !== '', 'too_small', 'must not be empty']))
  .meta({ format: 'password', minLength: 1 });

export const RESET_SECONDS = 3600;

export const resetRequest = z.strictObject({ email: emailAddress });

const expiresIn = z.int().meta({ description: 'Lifetime of the reset token in seconds' });

export const resetInResponse = z.object({ reset_token: z.string(), expires_in: expiresIn });

export const resetByMail = z.object({ expires_in: expiresIn });

export const passwordReset = z.strictObject({ token: text(1, 1000), password: newPassword });

export const passwordChange = z.strictObject({ current_password: givenPassword, password: newPassword });

export type PasswordChange = z.output<typeof passwordChange>;

export type PasswordReset = z.output<typeof passwordReset>;
