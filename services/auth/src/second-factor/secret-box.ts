import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts texts for the database. */
export interface SecretBox {
  /** @param context where the text belongs: it cannot be opened with another one */
  seal(text: string, context: string): string;
  /** @returns undefined if it was sealed with an unknown key or another context, or changed */
  open(sealed: string, context: string): { text: string; isOutdated: boolean } | undefined;
}

/** @param previous open what they have sealed, and seal nothing */
export function createSecretBox(key: string, previous: readonly string[] = []): SecretBox {
  const current = cipherKeyOf(key);
  const outdated = previous.map(cipherKeyOf);
  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, current, nonce).setAAD(Buffer.from(context));
      const parts = [nonce, cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([...parts, cipher.getAuthTag()]).toString('base64url');
    },
    open(sealed, context) {
      for (const cipherKey of [current, ...outdated]) {
        const text = openWith(cipherKey, sealed, context);
        if (text !== undefined) return { text, isOutdated: cipherKey !== current };
      }
      return undefined;
    },
  };
}

const cipherKeyOf = (key: string): Buffer => Buffer.from(hkdfSync('sha256', key, '', 'second factors', KEY_BYTES));

function openWith(cipherKey: Buffer, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const encrypted = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
  try {
    const decipher = createDecipheriv(ALGORITHM, cipherKey, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
