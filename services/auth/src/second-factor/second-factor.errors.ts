import { defineError } from '@shop/core/errors';

export const secondFactorRequired = defineError(
  'unauthenticated',
  'second_factor_required',
  'This account has a second factor. Send its code, too.',
  {
    when: 'The password is right, and the account has a second factor.',
    action: 'Ask the user for the code of their app and send the login again with it as `code`.',
  },
);
export const invalidCode = defineError('unauthenticated', 'invalid_code', 'This code is wrong or was already used.', {
  when: 'The `code` of a login is not the current one of the app, was used before, or is no unused recovery code.',
  action: 'Ask the user for the next code. Each code works once.',
});
/** For a caller with an access token, which a 401 would call invalid. */
export const wrongCode = defineError('forbidden', 'wrong_code', 'This code is wrong or was already used.', {
  when: 'The `code` of a request that changes your second factor is not the current one of the app, or was used before.',
  action: 'Ask the user for the next code. Each code works once.',
});
export const tooManyCodes = defineError(
  'rate_limited',
  'too_many_codes',
  'Too many wrong codes for this account. Try again later.',
  {
    when: 'Too many wrong codes were sent for this account in the last 15 minutes.',
    action:
      'Wait for the number of seconds in `Retry-After`. If you did not send these codes, your password is known to another person: change it.',
  },
);
export const factorEnabled = defineError(
  'conflict',
  'factor_enabled',
  'This account already has a second factor. Remove it first.',
  {
    when: 'You set up a second factor, and the account has one already.',
    action: 'Remove the present one first: `DELETE /api/v1/auth/me/factor`.',
  },
);
export const noFactor = defineError('not_found', 'no_factor', 'This account has no second factor. Set one up first.', {
  when: 'You confirm or remove a second factor, or ask for recovery codes, and the account has none.',
  action: 'Set one up first: `POST /api/v1/auth/me/factor`.',
});
export const factorNotConfigured = defineError(
  'unavailable',
  'factor_not_configured',
  'Second factors are not configured.',
  {
    when: 'The operator has not set `FACTOR_KEY`, so that no second factor can be stored.',
    action: 'Offer the login without a second factor. Operators: set `FACTOR_KEY`.',
  },
);
