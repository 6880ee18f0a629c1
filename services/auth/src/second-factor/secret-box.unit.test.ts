import { createSecretBox } from './secret-box';

const KEY = 'a key of at least 32 bytes, for this test';
const box = createSecretBox(KEY);

test('opens what it sealed, and never seals alike', () => {
  const [first, second] = [box.seal('the secret', 'user:1'), box.seal('the secret', 'user:1')];
  for (const sealed of [first, second]) {
    expect(box.open(sealed, 'user:1')).toEqual({ text: 'the secret', isOutdated: false });
  }
  expect(first).not.toBe(second);
  expect(Buffer.from(first, 'base64url').includes('the secret')).toBe(false);
});

test('opens nothing of another user, another key or other bytes', () => {
  const sealed = box.seal('the secret', 'user:1');
  expect(box.open(sealed, 'user:2')).toBeUndefined();
  expect(createSecretBox('another key of at least 32 bytes ......').open(sealed, 'user:1')).toBeUndefined();
  for (const index of [0, 20, sealed.length - 2]) {
    const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
    expect(box.open(changed, 'user:1')).toBeUndefined();
  }
  for (const wrong of ['', 'x', sealed.slice(4)]) expect(box.open(wrong, 'user:1')).toBeUndefined();
});

test('opens what a previous key sealed, but seals with the current one', () => {
  const NEW_KEY = 'another key of at least 32 bytes ......';
  const rotated = createSecretBox(NEW_KEY, ['an older key of at least 32 bytes ...', KEY]);
  expect(rotated.open(box.seal('the secret', 'user:1'), 'user:1')).toEqual({ text: 'the secret', isOutdated: true });
  expect(rotated.open(box.seal('the secret', 'user:1'), 'user:2')).toBeUndefined();
  const sealed = rotated.seal('the secret', 'user:1');
  expect(createSecretBox(NEW_KEY).open(sealed, 'user:1')).toEqual({ text: 'the secret', isOutdated: false });
});
