import { AppError, defineError, type ErrorDefinition } from '../errors';

const loginRejected = defineError(
  'unavailable',
  'database_login_rejected',
  'The database rejects the login: check DB_USER, DB_PASS and DB_NAME.',
);
const tlsFailed = defineError('unavailable', 'database_tls_failed', 'There is no TLS connection to the database.');
const tlsRequired = defineError(
  'unavailable',
  'database_tls_required',
  'The database only accepts TLS connections: set DB_TLS.',
);

/** By mysql2's or the server's error code. MySQL and MariaDB reject a user who must use TLS like one with a wrong password. */
const byCode = new Map<unknown, ErrorDefinition>([
  ['HANDSHAKE_SSL_ERROR', tlsFailed],
  ['HANDSHAKE_NO_SSL_SUPPORT', tlsFailed],
  ['ER_SECURE_TRANSPORT_REQUIRED', tlsRequired],
  ['ER_ACCESS_DENIED_ERROR', loginRejected],
  ['ER_ACCESS_DENIED_NO_PASSWORD_ERROR', loginRejected],
  ['ER_DBACCESS_DENIED_ERROR', loginRejected],
]);

/** For probes: says what is wrong with the connection to the database, which is not for clients. */
export function explainForOperators(error: unknown): unknown {
  const cause = error instanceof AppError ? error.cause : error;
  if (!(cause instanceof Error) || !('code' in cause)) return error;
  const explained = byCode.get(cause.code);
  if (!explained) return error;
  // The messages of TLS name the certificate's problem, such as "certificate has expired".
  return explained({ cause, ...(explained === tlsFailed ? { message: `DB_TLS: ${cause.message}` } : {}) });
}
