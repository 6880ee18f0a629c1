import { defineError } from '@shop/core/errors';

export const invalidToken = defineError(
  'invalid',
  'invalid_token',
  'This reset token is unknown, already used or expired.',
  { field: { in: 'body', path: 'token', code: 'invalid_value' } },
);
