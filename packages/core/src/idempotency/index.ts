export {
  type Attempt,
  hashOfForm,
  hashOfJson,
  idempotencyHeaders,
  idempotencyKeyReused,
} from './attempt';
export { createIdempotency, type Idempotency } from './idempotency';
export { deleteExpiredKeys, KEYS_TABLE } from './keys.sql';
