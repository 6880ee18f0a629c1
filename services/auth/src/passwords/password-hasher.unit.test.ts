import bcrypt from 'bcrypt';
import { createPasswordHasher, type PasswordHasher } from './password-hasher';

const [PEPPER, NEWER, OTHER] = ['pepper', 'newer', 'other'].map((name) => name.padEnd(32, '.'));
const LONG = 'x'.repeat(100);
const warn = jest.fn();

const hasherWith = (current?: string, ...previous: (string | undefined)[]) =>
  createPasswordHasher({ current, previous: previous.filter((one) => one !== undefined) }, { warn });

const match = (hasher: PasswordHasher, password: string, hash: string) => hasher.match(password, hash, '');

test.each([
  ['without a pepper', hasherWith(), 'a good password', '$2b$10$'],
  ['without a pepper, longer than bcrypt allows', hasherWith(), LONG, '$k'],
  ['with a pepper', hasherWith(PEPPER), 'a good password', '$k'],
  ['with a pepper, longer than bcrypt allows', hasherWith(PEPPER), LONG, '$k'],
])('%s, a hash fits the column and matches only its password', async (_title, hasher, password, marker) => {
  const hash = await hasher.hash(password, '');
  expect(hash).toHaveLength(60);
  expect(hash.startsWith(marker)).toBe(true);
  expect(await match(hasher, password, hash)).toBe('current');
  for (const wrong of [`${password}x`, password.slice(1), password.toUpperCase()]) {
    expect(await match(hasher, wrong, hash)).toBe('none');
  }
});

test('only the first 72 bytes of a password never match', async () => {
  const hasher = hasherWith();
  for (const [password, wrong] of [
    [LONG, LONG.slice(0, 72)],
    [LONG.slice(0, 72), LONG],
  ] as const) {
    expect(await match(hasher, wrong, await hasher.hash(password, ''))).toBe('none');
  }
});

test('hashes of earlier releases match, in the Unicode form in which they were made', async () => {
  const decomposed = 'Zoë’s café'.normalize('NFD');
  const old = await bcrypt.hash(decomposed, 10);
  expect(await match(hasherWith(), decomposed, old)).toBe('outdated');
  expect(await match(hasherWith(), '🔑🔑', await bcrypt.hash('🔑🔑', 10))).toBe('current');
});

test('a pepper can be introduced, changed and removed', async () => {
  const password = 'a good password';
  const [plain, first] = [await hasherWith().hash(password, ''), await hasherWith(PEPPER).hash(password, '')];
  expect(await match(hasherWith(PEPPER), password, plain)).toBe('outdated');
  expect(await match(hasherWith(NEWER, OTHER, PEPPER), password, first)).toBe('outdated');
  expect(await match(hasherWith(undefined, PEPPER), password, first)).toBe('outdated');
  expect(await match(hasherWith(PEPPER), LONG, await hasherWith().hash(LONG, ''))).toBe('outdated');
});

test('without its pepper a hash matches nothing, and the log says why', async () => {
  const hash = await hasherWith(PEPPER).hash('a good password', '');
  for (const hasher of [hasherWith(), hasherWith(OTHER)]) {
    warn.mockClear();
    expect(await match(hasher, 'a good password', hash)).toBe('none');
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('PASSWORD_PEPPER'));
  }
});
