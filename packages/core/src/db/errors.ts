import {
  AppError,
  databaseBusy,
  databaseUnavailable,
  type ErrorDefinition,
  outOfRange,
  queryTimeout,
  schemaMissing,
} from '../errors';

const errnoOf = (error: unknown): number | undefined =>
  typeof error === 'object' && error !== null && 'errno' in error && typeof error.errno === 'number'
    ? error.errno
    : undefined;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Deadlock, lock wait timeout, and MariaDB's "record has changed since last read": roll back and retry. */
const RETRYABLE = new Map([
  [1213, 'deadlock'],
  [1467, 'deadlock'], // over the counter of an AUTO_INCREMENT column, or a lock wait timeout for it
  [1205, 'lock_wait_timeout'],
  [3572, 'lock_wait_timeout'], // MySQL's code for NOWAIT
  [1020, 'record_changed'],
]);
/** Every reason for a retry. */
export const retryReasons = [...new Set(RETRYABLE.values()), 'connection_lost'];
/** The deadline passed while the server was alive: the call waits for a lock, or its statement is slow. */
export class DeadlineError extends Error {
  constructor(
    /** The error for the caller. */
    readonly publicError: ErrorDefinition,
    /** Resolves once the call can have no further effect on the server. */
    readonly settled: Promise<void>,
  ) {
    super('the deadline of a database call passed');
  }
}

/** The codes of failures caused by the database. */
export const databaseErrorCodes = [databaseBusy, databaseUnavailable, queryTimeout, schemaMissing].map(
  ({ code }) => code,
);

const numbers = (list: string): number[] => list.split(' ').map(Number);

const BUSY = new Set([
  ...numbers('1205 3572 1213 1467 1020'), // lock contention that persisted through all retries
  ...numbers('1040 1203 1226'), // too many connections
  ...numbers('1317'), // KILL QUERY
]);
/** The server's time limit for a statement. */
const TOO_SLOW = new Set(numbers('1969 3024'));
const UNAVAILABLE = new Set([
  ...numbers('1044 1045 1049 1129 1130 1524 1698 3159'), // access denied, unknown database, or TLS required
  ...numbers('1021 1030 1041 1037 1114'), // disk or memory full
  ...numbers('1290 1836 1792 3100'), // read-only
  ...numbers('1053 1152 1158 1159 1160 1161 1927 4031'), // shutting down, killed, timed out
]);
const NO_SCHEMA = new Set(numbers('1146 1054 1176 1305 1364'));
/** Out of range, invalid or too long for its column, or violates a CHECK. */
const DOES_NOT_FIT = new Set(numbers('1264 1366 1406 1292 3819 4025 1690'));
const CONNECTION_CODE =
  /^(ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_|PROTOCOL_|POOL_CLOSED|ER_SERVER_SHUTDOWN|ERR_STREAM|ERR_SOCKET|HANDSHAKE)/;

/** The server rolled back the database transaction, or (1205) only the statement: it may be retried from its start. */
export const contentionReason = (error: unknown): string | undefined => RETRYABLE.get(errnoOf(error) ?? -1);

/** The server closed the connection (shutdown, KILL, idle for too long), or has become read-only (failover). */
const ENDS_CONNECTION = new Set(numbers('1053 1927 4031 1290 1836 1792'));

/** After one of these a connection's state is unknown: it must be destroyed, not returned to the pool. */
export const isConnectionError = (error: unknown): boolean =>
  CONNECTION_CODE.test(codeOf(error)) || ENDS_CONNECTION.has(errnoOf(error) ?? -1) || isClosedState(error);

const isClosedState = (error: unknown): boolean =>
  error instanceof Error && /closed state|connection is closed/i.test(error.message);

const LOST_CODE = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE|ERR_STREAM)/;
const LOST = new Set(numbers('1927 4031'));

/** The connection was lost during a statement, so everything uncommitted is rolled back. Does not include timeouts. */
export const lossReason = (error: unknown): string | undefined =>
  LOST_CODE.test(codeOf(error)) || LOST.has(errnoOf(error) ?? -1) || isClosedState(error)
    ? 'connection_lost'
    : undefined;

/** The connection broke or timed out after a statement was sent. */
const BROKEN_CODE = /^(PROTOCOL_|ECONNRESET|EPIPE|ETIMEDOUT|ERR_STREAM|ERR_SOCKET)/;

/** Whether a write that failed with `error` may have been committed anyway, because its response never arrived. */
export function mayHaveBeenWritten(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return cause instanceof DeadlineError || BROKEN_CODE.test(codeOf(cause));
}

/** The error for the caller. undefined: a bug, or a violated constraint that the caller maps (`onDuplicateKey`). */
export function databaseError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  const errno = errnoOf(error) ?? -1;
  const cause = { cause: error };
  if (error instanceof DeadlineError) return error.publicError(cause);
  if (TOO_SLOW.has(errno)) return queryTimeout(cause);
  if (NO_SCHEMA.has(errno)) return schemaMissing(cause);
  if (UNAVAILABLE.has(errno)) return databaseUnavailable(cause);
  if (BUSY.has(errno)) return databaseBusy(cause);
  if (DOES_NOT_FIT.has(errno)) return outOfRange(cause);
  return isConnectionError(error) ? databaseUnavailable(cause) : undefined;
}

type ErrorsByConstraint = Record<string, (options: { cause: unknown }) => AppError>;

/**
 * Maps a duplicate key (1062) to the error for the violated key.
 * @example await onDuplicateKey(insert, { users_email: emailTaken, users_phone: phoneTaken })
 */
export async function onDuplicateKey<T>(write: Promise<T>, errors: ErrorsByConstraint): Promise<T> {
  // MySQL names the key 'users.users_email', MariaDB 'users_email'.
  return await mapViolation(write, 1062, /for key '(?:[^'.]+\.)?([^']+)'$/, errors);
}

const FOREIGN_KEY = /CONSTRAINT `([^`]+)`/;

/** Maps a reference to a parent row that does not exist (1452) to the error for the violated foreign key. */
export async function onMissingParent<T>(write: Promise<T>, errors: ErrorsByConstraint): Promise<T> {
  return await mapViolation(write, 1452, FOREIGN_KEY, errors);
}

/** Maps the delete of a row that is still referenced (1451) to the error for the violated foreign key. */
export async function onReferenced<T>(write: Promise<T>, errors: ErrorsByConstraint): Promise<T> {
  return await mapViolation(write, 1451, FOREIGN_KEY, errors);
}

/** @param constraint finds the name of the violated constraint in the server's message */
async function mapViolation<T>(
  write: Promise<T>,
  errno: number,
  constraint: RegExp,
  errors: ErrorsByConstraint,
): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (errnoOf(error) !== errno || !(error instanceof Error)) throw error;
    const definition = errors[constraint.exec(error.message)?.[1] ?? ''];
    throw definition ? definition({ cause: error }) : error;
  }
}
