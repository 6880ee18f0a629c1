import { defineError } from '@shop/core/errors';

export const invalidCredentials = defineError(
  'unauthenticated',
  'invalid_credentials',
  'Email and password do not belong together.',
);
export const invalidRefreshToken = defineError(
  'unauthenticated',
  'invalid_refresh_token',
  'This refresh token is unknown, expired, revoked or spent: log in again.',
);
