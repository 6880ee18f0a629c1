import { defineError } from '@shop/core/errors';

export const tooManyAttempts = defineError(
  'rate_limited',
  'too_many_attempts',
  'Too many wrong passwords for this email address, from addresses that have never logged in to it. Try again later.',
);
