import { defineError } from '@shop/core/errors';

export const invalidCredentials = defineError(
  'unauthenticated',
  'invalid_credentials',
  'Wrong email address or password.',
);
export const invalidRefreshToken = defineError(
  'unauthenticated',
  'invalid_refresh_token',
  'This refresh token is unknown, expired, revoked or already used. Log in again.',
);
