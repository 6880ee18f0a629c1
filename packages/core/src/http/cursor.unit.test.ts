import { createHash } from 'node:crypto';
import { decodeCursor, encodeCursor, MAX_CURSOR_LENGTH } from './cursor';

const BINDING = '{"path":"/api/v1/stores"}';
const ALPHABET = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
const refusal = expect.objectContaining({
  code: 'invalid_request',
  errors: [expect.objectContaining({ in: 'query', path: 'cursor', code: 'invalid_value' })],
});

function errorOf(cursor: string, binding = BINDING): unknown {
  try {
    return decodeCursor(cursor, binding);
  } catch (error) {
    return error;
  }
}

test.each([
  { isLong: false, id: 1, value: '2026-01-31T09:00:00.000Z' },
  { isLong: true, id: Number.MAX_SAFE_INTEGER, value: '9999999999.99' },
  { isLong: false, id: 7, value: '' },
  { isLong: false, id: 7, value: 'a:b\n"ß" 🍵' },
  { isLong: true, id: Number.MAX_SAFE_INTEGER, value: '🍵'.repeat(255) },
])('a cursor returns its position: %j', (position) => {
  const cursor = encodeCursor(position, BINDING);
  expect(cursor).toMatch(/^[\w-]+$/);
  expect(cursor.length).toBeLessThanOrEqual(MAX_CURSOR_LENGTH);
  expect(decodeCursor(cursor, BINDING)).toEqual(position);
});

test('a cursor with any character changed, added or removed is refused', () => {
  // Contents of three lengths: their last characters have 0, 2 and 4 unused bits.
  for (const value of ['', 'x', 'xy']) {
    const cursor = encodeCursor({ isLong: false, id: 42, value }, BINDING);
    for (let index = 0; index < cursor.length; index += 1) {
      for (const character of ALPHABET.filter((other) => other !== cursor[index])) {
        expect(errorOf(cursor.slice(0, index) + character + cursor.slice(index + 1))).toEqual(refusal);
      }
      expect(errorOf(cursor.slice(0, index) + cursor.slice(index + 1))).toEqual(refusal);
      expect(errorOf(`${cursor.slice(0, index)} ${cursor.slice(index)}`)).toEqual(refusal);
    }
    for (const changed of [`${cursor}A`, `${cursor}=`, `${cursor}==`, ` ${cursor}`])
      expect(errorOf(changed)).toEqual(refusal);
  }
});

test('a cursor of another list or user is refused', () => {
  const cursor = encodeCursor({ isLong: false, id: 42, value: 'x' }, BINDING);
  expect(errorOf(cursor, '{"path":"/api/v1/files"}')).toEqual(refusal);
});

test.each(['', ':', '0:1', '2:1:x', '0:0:x', '0:-1:x', '0:1.5:x', '0:9007199254740992:x', '0:1e3:x', '0:x:y'])(
  'a computed cursor with the content %j is refused',
  (content) => {
    const digest = createHash('sha256').update(`${BINDING}\n${content}`).digest().subarray(0, 16);
    expect(errorOf(Buffer.concat([digest, Buffer.from(content)]).toString('base64url'))).toEqual(refusal);
  },
);
