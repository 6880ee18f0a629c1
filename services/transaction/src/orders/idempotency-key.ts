import { createHash } from 'node:crypto';
import { defineError } from '@shop/core/errors';
import { z } from 'zod';

export const idempotencyKeyReused = defineError(
  'unprocessable',
  'idempotency_key_reused',
  'This Idempotency-Key was already used for a different request.',
);

/** After this time a key can be used for another request. */
export const KEY_LIFETIME_HOURS = 24;

/** draft-ietf-httpapi-idempotency-key-header; the value is used as sent, quoted or not. */
export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .max(255)
    .regex(/^[\x20-\x7e]+$/, 'must be visible ASCII characters and spaces')
    .optional()
    .meta({
      description: `Makes a retry safe: within ${KEY_LIFETIME_HOURS} hours the same key and body get the first response again.`,
      examples: ['order-7f3c9a10'],
    }),
});

/** One attempt at a request: the user, the client's key and a hash of the request body. */
export interface Attempt {
  userId: number;
  route: string;
  key: string;
  hash: string;
}

/** SHA-256 (hex) of a body as JSON, independent of the order of object keys. */
export const fingerprint = (body: unknown): string => createHash('sha256').update(canonicalJson(body)).digest('hex');

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
