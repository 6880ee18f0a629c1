import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { BackupError, reasonOf } from './errors';

/** Turns a stream of bytes into another one, without holding all of it in memory. */
export type Transform = (content: Readable) => Promise<Readable>;

/** The suffix of encrypted files. The program `age` can decrypt them: `age --decrypt -i KEY_FILE`. */
export const ENCRYPTED = '.age';

/** @param recipient the public key, `age1…`. The machine that makes backups needs no other key, and cannot read them. */
export async function encryptFor(recipient: string): Promise<Transform> {
  if (/^AGE-SECRET-KEY-/i.test(recipient)) {
    throw new BackupError('BACKUP_RECIPIENT is a secret key: it must be the public key that belongs to it (age1…)');
  }
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch (error) {
    throw new BackupError(`BACKUP_RECIPIENT is not a public key of age (age1…): ${reasonOf(error)}`, { cause: error });
  }
  return async (content) => fromWeb(await encrypter.encrypt(toWeb(content)));
}

/** @param identities secret keys, `AGE-SECRET-KEY-1…`, one a line; lines with a # are comments, as in age's key files */
export async function decryptWith(identities: string): Promise<Transform> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  const keys = identities.split('\n').map((line) => line.trim());
  for (const key of keys.filter((line) => line && !line.startsWith('#'))) {
    try {
      decrypter.addIdentity(key);
    } catch (error) {
      // Without the reason: it could contain a part of the key.
      throw new BackupError('BACKUP_IDENTITY is not a secret key of age (AGE-SECRET-KEY-1…)', { cause: error });
    }
  }
  return async (content) => {
    try {
      return fromWeb(await decrypter.decrypt(toWeb(content)));
    } catch (error) {
      content.destroy();
      throw new BackupError(`it cannot be decrypted with BACKUP_IDENTITY: ${reasonOf(error)}`, { cause: error });
    }
  };
}

// Node's types and those of the DOM, which age-encryption uses, describe the same streams.
const toWeb = (content: Readable) => Readable.toWeb(content) as globalThis.ReadableStream<Uint8Array>;
const fromWeb = (content: globalThis.ReadableStream<Uint8Array>) => Readable.fromWeb(content as ReadableStream);
