import { defineError } from '@shop/core/errors';

export const emailTaken = defineError('conflict', 'email_taken', 'This email address belongs to an account already.');
export const phoneTaken = defineError('conflict', 'phone_taken', 'This phone number belongs to an account already.');
export const lastAdmin = defineError(
  'conflict',
  'last_admin',
  'This is the last administrator: make another user one first.',
);
