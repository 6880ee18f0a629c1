import { defineError } from '@shop/core/errors';

export const tooManyAttempts = defineError(
  'rate_limited',
  'too_many_attempts',
  'Too many wrong passwords for this email address, from addresses that have never logged in to it. Try again later.',
  {
    when: 'There were 10 wrong passwords for this email address in the last 15 minutes. IP addresses from which the owner has logged in before are not affected.',
    action: 'Wait for the number of seconds in `Retry-After`, or log in from where you have logged in before.',
  },
);
