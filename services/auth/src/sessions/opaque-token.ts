import { createHash, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;

/** Stored instead of the token. A token has 256 random bits, so a plain hash of it cannot be reversed. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** A random token for the client and its hash for the database. */
export function newOpaqueToken(): { token: string; hash: string } {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return { token, hash: hashToken(token) };
}
