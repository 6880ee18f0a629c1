import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { decryptWith, encryptFor } from './encryption';

const key = async () => {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
};

const encrypted = async (recipient: string, text: string) =>
  await buffer(await (await encryptFor(recipient))(Readable.from([Buffer.from(text)])));
const decrypted = async (identities: string, bytes: Buffer) =>
  String(await buffer(await (await decryptWith(identities))(Readable.from([bytes]))));

test('only the secret key reads what was encrypted for the public key', async () => {
  const [own, other] = [await key(), await key()];
  const bytes = await encrypted(own.recipient, 'hello');
  expect(bytes.includes('hello')).toBe(false);
  expect(await decrypted(own.identity, bytes)).toBe('hello');
  await expect(decrypted(other.identity, bytes)).rejects.toThrow('cannot be decrypted with BACKUP_IDENTITY');
});

test('several secret keys can be given, as in a key file of age', async () => {
  const [old, current] = [await key(), await key()];
  const keys = `# created: 2026-11-27\n${current.identity}\n\n${old.identity}\n`;
  expect(await decrypted(keys, await encrypted(old.recipient, 'before'))).toBe('before');
  expect(await decrypted(keys, await encrypted(current.recipient, 'after'))).toBe('after');
});

test('refuses a key of the wrong type, and does not print it', async () => {
  const { identity, recipient } = await key();
  await expect(encryptFor(identity)).rejects.toThrow(/^BACKUP_RECIPIENT is a secret key: it must be the public key/);
  await expect(encryptFor('ssh-ed25519 AAAA')).rejects.toThrow('BACKUP_RECIPIENT is not a public key of age');
  await expect(encryptFor(recipient.slice(0, -1))).rejects.toThrow('BACKUP_RECIPIENT is not a public key of age');
  const wrong = identity.slice(0, -1);
  const failure = await decryptWith(wrong).catch(String);
  expect(failure).toContain('BACKUP_IDENTITY is not a secret key of age');
  expect(failure).not.toContain(wrong.slice(-20));
  await expect(decryptWith(recipient)).rejects.toThrow('BACKUP_IDENTITY is not a secret key of age');
});

test('an error of the content reaches the reader', async () => {
  const { recipient } = await key();
  async function* failing() {
    yield Buffer.from('some');
    throw new Error('disk error');
  }
  const reader = (await encryptFor(recipient))(Readable.from(failing()));
  await expect(reader.then(buffer)).rejects.toThrow('disk error');
});
