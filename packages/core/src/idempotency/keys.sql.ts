import { flag, int, nullable, type Sql, statement, text } from '../db';
import { type Attempt, idempotencyKeyReused, KEY_LIFETIME_HOURS } from './attempt';

/* Table idempotency_keys, which the services share. */

export const KEYS_TABLE = 'idempotency_keys';

const CLAIM_KEY = statement(
  'idempotency.claim',
  `INSERT INTO ${KEYS_TABLE} (user_id, route, idempotency_key, request_hash) VALUES (:userId, :route, :key, :hash)
   ON DUPLICATE KEY UPDATE replays = replays + 1`,
);

const FIND_KEY = statement(
  'idempotency.find',
  { requestHash: text, response: nullable(text), orderId: nullable(int), isExpired: flag },
  `SELECT request_hash AS requestHash, response, transaction_id AS orderId,
          created_at < NOW(3) - INTERVAL ${KEY_LIFETIME_HOURS} HOUR AS isExpired
   FROM ${KEYS_TABLE} WHERE user_id = :userId AND route = :route AND idempotency_key = :key`,
);

const RENEW_KEY = statement(
  'idempotency.claim',
  `UPDATE ${KEYS_TABLE}
   SET request_hash = :hash, response = NULL, transaction_id = NULL, replays = 0, created_at = NOW(3)
   WHERE user_id = :userId AND route = :route AND idempotency_key = :key`,
);

const identityOf = ({ userId, route, key }: Attempt) => ({ userId, route, key });
const valuesOf = (attempt: Attempt) => ({ ...identityOf(attempt), hash: attempt.hash });

/**
 * Claims the key for this database transaction. A second attempt waits here, on the primary key, until the first commits or
 * rolls back. So this must be the first statement, before any other lock.
 * @returns the response body of the attempt that succeeded with this key; undefined if the key is now claimed
 */
export async function claimKey(sql: Sql, attempt: Attempt): Promise<string | undefined> {
  // A plain INSERT takes a shared lock on the duplicate. Waiting attempts would deadlock when the first one rolls back.
  const { affectedRows } = await sql.write(CLAIM_KEY, valuesOf(attempt));
  const isInserted = affectedRows === 1;
  if (isInserted) return undefined;
  const response = await findResponse(sql, attempt);
  const isExpired = response === undefined;
  if (isExpired) await sql.write(RENEW_KEY, valuesOf(attempt));
  return response;
}

/**
 * @returns the response body of the attempt that succeeded with this key in the last hours, if there is one
 * @throws AppError `idempotency_key_reused`
 */
export async function findResponse(sql: Sql, attempt: Attempt): Promise<string | undefined> {
  const found = await sql.row(FIND_KEY, identityOf(attempt));
  if (!found || found.isExpired) return undefined;
  if (found.requestHash !== attempt.hash) throw idempotencyKeyReused();
  // All that releases up to 0.2 store. They leave `response` as it is when they renew a key.
  if (found.orderId !== null) return JSON.stringify({ id: found.orderId });
  return found.response ?? undefined;
}

const SETTLE_KEY = statement(
  'idempotency.settle',
  `UPDATE ${KEYS_TABLE} SET response = :response, transaction_id = :orderId
   WHERE user_id = :userId AND route = :route AND idempotency_key = :key`,
);

/** Stores the response body with the claimed key. @param orderId for the release before, which reads nothing else */
export async function settleKey(sql: Sql, attempt: Attempt, response: string, orderId: number | null): Promise<void> {
  await sql.write(SETTLE_KEY, { ...identityOf(attempt), response, orderId });
}

const DELETE_EXPIRED_KEYS = statement(
  'idempotency.deleteExpired',
  `DELETE FROM ${KEYS_TABLE} WHERE created_at < NOW(3) - INTERVAL ${KEY_LIFETIME_HOURS} HOUR
   ORDER BY created_at LIMIT :limit`,
);

/** @returns the number of deleted rows, at most `limit` */
export async function deleteExpiredKeys(sql: Sql, limit: number): Promise<number> {
  return (await sql.write(DELETE_EXPIRED_KEYS, { limit })).affectedRows;
}
