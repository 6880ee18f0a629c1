import { type AppError, unauthenticated } from '../errors';

/** The `WWW-Authenticate` of a 401 (RFC 6750, section 3). All services accept the same tokens, so they share one realm. */
export const CHALLENGE = 'Bearer realm="api"';

const refusal = (reason: string, options?: { cause: unknown }): AppError =>
  unauthenticated({
    ...options,
    message: `${reason}.`,
    headers: { 'WWW-Authenticate': `${CHALLENGE}, error="invalid_token", error_description="${reason}"` },
  });

export const expiredAccessToken = (): AppError => refusal('The access token expired');

/** The same for every other reason, such as a wrong signature or a revocation: a forger could learn from the difference. */
export const invalidAccessToken = (options?: { cause: unknown }): AppError =>
  refusal('The access token is invalid', options);
