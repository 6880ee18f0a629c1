import { AppError, defineError, type ErrorDefinition } from '../errors';

const loginRejected = defineError(
  'unavailable',
  'database_login_rejected',
  'The database rejects the login: check DB_USER, DB_PASS and DB_NAME, and DB_TLS if it requires TLS.',
);
const tlsFailed = defineError('unavailable', 'database_tls_failed', 'There is no TLS connection to the database.');
const tlsRequired = defineError(
  'unavailable',
  'database_tls_required',
  'The database only accepts TLS connections: set DB_TLS.',
);

/** By mysql2's or the server's error code. MariaDB, and both for a user who must use TLS, respond as to a wrong password. */
const byCode = new Map<unknown, ErrorDefinition>([
  ['HANDSHAKE_SSL_ERROR', tlsFailed],
  ['HANDSHAKE_NO_SSL_SUPPORT', tlsFailed],
  ['ER_SECURE_TRANSPORT_REQUIRED', tlsRequired],
  ['ER_ACCESS_DENIED_ERROR', loginRejected],
  ['ER_ACCESS_DENIED_NO_PASSWORD_ERROR', loginRejected],
  ['ER_DBACCESS_DENIED_ERROR', loginRejected],
  ['ER_BAD_DB_ERROR', loginRejected],
]);

/** For probes: says what is wrong with the connection to the database, which is not for clients. */
export function explainForOperators(error: unknown): unknown {
  const cause = error instanceof AppError ? error.cause : error;
  const { code, message }: { code?: unknown; message?: unknown } = Object(cause);
  const explained = byCode.get(code);
  if (!explained) return error;
  // The messages of TLS name the certificate's problem, such as "certificate has expired".
  return explained({ cause, ...(explained === tlsFailed ? { message: `DB_TLS: ${message}` } : {}) });
}
