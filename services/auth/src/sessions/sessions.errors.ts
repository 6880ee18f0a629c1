import { defineError } from '@shop/core/errors';

export const invalidCredentials = defineError(
  'unauthenticated',
  'invalid_credentials',
  'Wrong email address or password.',
  {
    when: 'No account has this email address with this password. The response does not say which of the two is wrong.',
    action: 'Ask the user to type both again, or offer `POST /api/v1/auth/forgot-password`.',
  },
);
export const invalidRefreshToken = defineError(
  'unauthenticated',
  'invalid_refresh_token',
  'This refresh token is unknown, expired, revoked or already used. Log in again.',
  {
    when: 'The refresh token is unknown, has expired, or its session was ended. A refresh token works once: a second use ends the session, because the token may have been stolen.',
    action: 'Log in again. Store the new refresh token of each refresh before you use its access token.',
  },
);
