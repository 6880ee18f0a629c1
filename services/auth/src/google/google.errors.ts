import { defineError } from '@shop/core/errors';

export const invalidIdToken = defineError(
  'unauthenticated',
  'invalid_id_token',
  'This is not a valid Google ID token for this application with a verified email address.',
  {
    when: 'The `id_token` is not signed by Google, has expired, is for another application, or its email address is not verified.',
    action: 'Get a new ID token from Google with the client id of this shop, and send it at once.',
  },
);
export const googleUnavailable = defineError(
  'unavailable',
  'google_unavailable',
  'Google cannot be reached. Try again.',
  {
    when: "Google's keys are needed to verify the token, and Google does not respond.",
    action: 'Wait for the number of seconds in `Retry-After`, then send the request again, or log in with a password.',
  },
);
export const ssoNotConfigured = defineError('unavailable', 'sso_not_configured', 'Google sign-in is not configured.', {
  when: 'The operator has not set `GOOGLE_CLIENT_ID`.',
  action: 'Offer the login with a password instead. Operators: set `GOOGLE_CLIENT_ID`.',
});
