import { defineError } from '@shop/core/errors';

export const invalidIdToken = defineError(
  'unauthenticated',
  'invalid_id_token',
  'This is not a valid Google ID token for this application with a verified email address.',
);
export const googleUnavailable = defineError(
  'unavailable',
  'google_unavailable',
  'Google cannot be reached. Try again.',
);
export const ssoNotConfigured = defineError('unavailable', 'sso_not_configured', 'Google sign-in is not configured.');
