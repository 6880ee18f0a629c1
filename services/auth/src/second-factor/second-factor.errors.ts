import { defineError } from '@shop/core/errors';

export const secondFactorRequired = defineError(
  'unauthenticated',
  'second_factor_required',
  'This account has a second factor. Send its code, too.',
);
export const invalidCode = defineError('unauthenticated', 'invalid_code', 'This code is wrong or was already used.');
/** For a caller with an access token, which a 401 would call invalid. */
export const wrongCode = defineError('forbidden', 'wrong_code', 'This code is wrong or was already used.');
export const tooManyCodes = defineError(
  'rate_limited',
  'too_many_codes',
  'Too many wrong codes for this account. Try again later.',
);
export const factorEnabled = defineError(
  'conflict',
  'factor_enabled',
  'This account already has a second factor. Remove it first.',
);
export const noFactor = defineError('not_found', 'no_factor', 'This account has no second factor. Set one up first.');
export const factorNotConfigured = defineError(
  'unavailable',
  'factor_not_configured',
  'Second factors are not configured.',
);
