import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineError } from '../errors';

export const idempotencyKeyReused = defineError(
  'unprocessable',
  'idempotency_key_reused',
  'This Idempotency-Key was already used for a different request.',
  {
    when: 'The same `Idempotency-Key` was sent to the same path with another body in the last 24 hours.',
    action:
      'Use a new key for each new request, and the old one only to repeat the same request. See [idempotency](/docs/idempotency).',
  },
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
      description:
        `Makes a retry safe: within ${KEY_LIFETIME_HOURS} hours, the same user's same request with the same key gets the first ` +
        'response again and has no further effect. Choose a new random value, such as a UUID, for each new request.',
      examples: ['7a2f4c1e-9a54-4d0b-8f43-0c5d0f1f2b6a'],
    }),
});

/** A request with an idempotency key. */
export interface Attempt {
  readonly userId: number;
  /** Method and path, such as `POST /api/v1/products/7/stock`: the same key on another path is another key. */
  readonly route: string;
  readonly key: string;
  /** Of the request body: `hashOfJson` or `hashOfForm`. */
  readonly hash: string;
  /** Returns the response body for a result, as it is sent and stored. */
  readonly toJson: (result: unknown) => string;
  /** The stored response body, if an earlier attempt has succeeded. Set by `Idempotency`. */
  replay?: string;
}

/** SHA-256 (hex) of a body as it was sent, as JSON, independent of whitespace and of the order of object keys. */
export const hashOfJson = (body: unknown): string => sha256(canonicalJson(body) ?? '');

/** SHA-256 (hex) of the fields of a form and the hash of its file. A form never equals a JSON body. */
export const hashOfForm = (fields: unknown, fileHash: string | undefined): string =>
  sha256(`form ${canonicalJson([fields, fileHash])}`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function canonicalJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
