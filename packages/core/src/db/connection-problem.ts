import {
  AppError,
  databaseLoginRejected,
  databaseTlsFailed,
  databaseTlsRequired,
  type ErrorDefinition,
} from '../errors';

/** By mysql2's or the server's error code. MariaDB, and both for a user who must use TLS, respond as to a wrong password. */
const byCode = new Map<unknown, ErrorDefinition>([
  ['HANDSHAKE_SSL_ERROR', databaseTlsFailed],
  ['HANDSHAKE_NO_SSL_SUPPORT', databaseTlsFailed],
  ['ER_SECURE_TRANSPORT_REQUIRED', databaseTlsRequired],
  ['ER_ACCESS_DENIED_ERROR', databaseLoginRejected],
  ['ER_ACCESS_DENIED_NO_PASSWORD_ERROR', databaseLoginRejected],
  ['ER_DBACCESS_DENIED_ERROR', databaseLoginRejected],
  ['ER_BAD_DB_ERROR', databaseLoginRejected],
]);

/** For probes: says what is wrong with the connection to the database, which is not for clients. */
export function explainForOperators(error: unknown): unknown {
  const cause = error instanceof AppError ? error.cause : error;
  const { code, message }: { code?: unknown; message?: unknown } = Object(cause);
  const explained = byCode.get(code);
  if (!explained) return error;
  // The messages of TLS name the certificate's problem, such as "certificate has expired".
  return explained({ cause, ...(explained === databaseTlsFailed ? { message: `DB_TLS: ${message}` } : {}) });
}
