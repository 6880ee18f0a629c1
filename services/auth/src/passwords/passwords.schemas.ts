import { checkInOrder, storable, text } from '@shop/core/http';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';

const MIN_BYTES = 8;
/** bcrypt ignores bytes beyond 72: a longer password would match any password with the same first 72 bytes. */
const MAX_BYTES = 72;

const PASSWORD_LENGTH = `must have ${MIN_BYTES} to ${MAX_BYTES} bytes in UTF-8`;

export const hasPasswordLength = (password: string): boolean => {
  const bytes = Buffer.byteLength(password);
  return bytes >= MIN_BYTES && bytes <= MAX_BYTES;
};

/** Not trimmed: spaces are significant. */
export const newPassword = z
  .string()
  .check(
    checkInOrder(
      storable,
      [(value) => Buffer.byteLength(value) >= MIN_BYTES, 'too_small', PASSWORD_LENGTH],
      [(value) => Buffer.byteLength(value) <= MAX_BYTES, 'too_big', PASSWORD_LENGTH],
    ),
  )
  .meta({ format: 'password', description: `${MIN_BYTES} to ${MAX_BYTES} bytes in UTF-8`, minLength: 1 });

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

export type PasswordReset = z.output<typeof passwordReset>;
