import { createSecretBox } from './secret-box';

const box = createSecretBox('a key of at least 32 bytes, for this test');

test('opens what it sealed, and never seals alike', () => {
  const [first, second] = [box.seal('the secret', 'user:1'), box.seal('the secret', 'user:1')];
  expect([box.open(first, 'user:1'), box.open(second, 'user:1')]).toEqual(['the secret', 'the secret']);
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
