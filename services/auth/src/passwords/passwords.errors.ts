import { defineError } from '@shop/core/errors';

export const weakPassword = defineError(
  'invalid',
  'weak_password',
  'This password is one of the 10,000 most common. Choose another one.',
  {
    when: 'A new password is one of the 10,000 most common ones.',
    action: 'Ask the user for another password. A sentence is easy to remember and hard to guess.',
    field: { in: 'body', path: 'password', code: 'invalid_value' },
  },
);

export const wrongPassword = defineError('forbidden', 'wrong_password', 'The current password is wrong.', {
  when: '`current_password` is not the password of your account.',
  action:
    'Ask the user to type it again. An account without a password, such as one made with Google, sets its first with `POST /api/v1/auth/forgot-password`.',
});

export const invalidToken = defineError('invalid', 'invalid_token', 'This token is unknown, already used or expired.', {
  when: 'The `token` of a mail is unknown, was used before, or has expired. A token that resets a password lives one hour, one that verifies an email address 24 hours.',
  action: 'Request a new mail, and use the token of the newest one.',
  field: { in: 'body', path: 'token', code: 'invalid_value' },
});
