import { defineError } from '@shop/core/errors';

export const emailTaken = defineError('conflict', 'email_taken', 'This email address is already in use.');
export const phoneTaken = defineError('conflict', 'phone_taken', 'This phone number is already in use.');
export const lastAdmin = defineError(
  'conflict',
  'last_admin',
  'This is the last admin. Make another user an admin first.',
);
