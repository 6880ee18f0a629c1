import { defineError } from '@shop/core/errors';

export const weakPassword = defineError(
  'invalid',
  'weak_password',
  'This password is one of the 10,000 most common. Choose another one.',
  { field: { in: 'body', path: 'password', code: 'invalid_value' } },
);

export const wrongPassword = defineError('forbidden', 'wrong_password', 'The current password is wrong.');

export const invalidToken = defineError('invalid', 'invalid_token', 'This token is unknown, already used or expired.', {
  field: { in: 'body', path: 'token', code: 'invalid_value' },
});
