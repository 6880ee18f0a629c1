import { createHash, createSecretKey, type KeyObject } from 'node:crypto';

/** A key of access tokens. It is only used with its own algorithm, whatever the header of a token names. */
export interface TokenKey {
  /** The `kid` in the header of its tokens. */
  id: string;
  algorithm: 'HS256';
  key: KeyObject;
}

/** A secret that signs and verifies. */
export function secretKey(secret: string): TokenKey {
  // Given a string, jsonwebtoken first tries to parse it as a public key on every call, which takes half a millisecond.
  const key = createSecretKey(Buffer.from(secret));
  // As safe to publish as a signature: both allow to test a guess, and the secret is too long to guess.
  const id = createHash('sha256').update(`kid ${secret}`).digest('base64url').slice(0, 12);
  return { id, algorithm: 'HS256', key };
}
