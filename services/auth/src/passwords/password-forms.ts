import { createHash, createHmac } from 'node:crypto';

/**
 * What bcrypt hashes. bcrypt ignores bytes beyond 72, so a longer password cannot be hashed as it is. A stored hash has 60
 * characters, and its first 7 say the form:
 *
 * - `$2b$10$`: the password itself, in UTF-8.
 * - `$kXXXX$`: HMAC-SHA-256 of the password in base64, with a pepper as the key, or an empty key. XXXX identifies the key.
 *
 * The marker takes the place of bcrypt's own, so that the column needs no change: a release that does not know it rejects the
 * password, and one that replaces or removes the hash replaces or removes the marker with it.
 */
export type Form = 'plain' | Key;

interface Key {
  marker: string;
  pepper: string;
}

const BCRYPT_MARKER = '$2b$10$';
const MAX_BCRYPT_BYTES = 72;

export interface PasswordForms {
  /** The form for a new hash. */
  formFor(password: string): Form;
  /** Returns undefined if the hash needs a pepper that is not configured. */
  formOf(hash: string): Form | undefined;
}

export interface Peppers {
  /** For new hashes. */
  current: string | undefined;
  /** For hashes that were made with them. */
  previous: readonly string[];
}

export function passwordForms({ current: pepper, previous }: Peppers): PasswordForms {
  const withoutPepper = keyFrom('');
  const current = pepper === undefined ? undefined : keyFrom(pepper);
  const keys = [...(current ? [current] : []), ...previous.map(keyFrom), withoutPepper];
  return {
    formFor: (password) => current ?? (fitsBcrypt(password) ? 'plain' : withoutPepper),
    formOf: (hash) => (hash.startsWith('$k') ? keys.find(({ marker }) => hash.startsWith(marker)) : 'plain'),
  };
}

function keyFrom(pepper: string): Key {
  const id = createHash('sha256').update(`pepper ${pepper}`).digest('base64url').slice(0, 4);
  return { marker: `$k${id}$`, pepper };
}

export const fitsBcrypt = (password: string): boolean => Buffer.byteLength(password) <= MAX_BCRYPT_BYTES;

export const bcryptInput = (form: Form, password: string): string =>
  form === 'plain' ? password : createHmac('sha256', form.pepper).update(password).digest('base64');

export const toStored = (form: Form, bcryptHash: string): string =>
  form === 'plain' ? bcryptHash : form.marker + bcryptHash.slice(BCRYPT_MARKER.length);

export const toBcryptHash = (form: Form, stored: string): string =>
  form === 'plain' ? stored : BCRYPT_MARKER + stored.slice(form.marker.length);
