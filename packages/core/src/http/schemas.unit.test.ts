import { z } from 'zod';
import { id, idString, inOrder, integerString, nameText, pageQuery, text, timestamp } from './schemas';

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe('text', () => {
  it('is trimmed before its length is checked', () => {
    expect(text(1, 3).parse(' \t\u00a0abc\n')).toBe('abc');
    expect(accepts(text(1, 3), '   ')).toBe(false);
    expect(text(0, 3).parse('   ')).toBe('');
  });

  it.each([
    ['letters outside ASCII', 'ł'],
    ['characters outside the basic plane', '😀'],
    ['a combining mark', '\u0301'],
  ])('counts %s as characters', (_what, character) => {
    expect(accepts(nameText, character.repeat(255))).toBe(true);
    expect(accepts(nameText, character.repeat(256))).toBe(false);
  });

  it.each([
    ['a NUL', 'a\0b'],
    ['a high surrogate alone', 'a\ud83d'],
    ['a low surrogate alone', '\ude00b'],
    ['surrogates the wrong way round', '\ude00\ud83d'],
  ])('rejects %s', (_what, value) => {
    expect(accepts(nameText, value)).toBe(false);
  });

  it.each([
    'a\u0001',
    'a\u202eb',
    'a\u200b',
    '\ufffd',
    "Robert'); DROP TABLE users;--",
    '<b>',
    '\u{10ffff}',
    '👩\u200d🚀',
  ])('keeps %j unchanged', (value) => {
    expect(nameText.parse(value)).toBe(value);
  });

  it.each([
    ['zero-width spaces and joiners', '\u200b\u200c\u200d\u2060\ufeff'],
    ['a soft hyphen', '\u00ad'],
    ['direction marks', '\u202e\u2066\u200f\u061c'],
    ['control characters', '\u0007\u001b\u0085'],
    ['Hangul fillers', '\u3164\u115f\u1160\uffa0'],
    ['a blank Braille pattern', '\u2800'],
    ['a null notehead', '\u{1d159}'],
    ['variation selectors', '\ufe0f\u{e0100}\u180b'],
    ['tags', '\u{e0001}\u{e0041}'],
    ['separators', '\u2028\u3000\u2003'],
  ])('rejects text of only %s where text is required', (_what, value) => {
    expect(accepts(nameText, value)).toBe(false);
    expect(accepts(nameText, `${value}a${value}`)).toBe(true);
    expect(accepts(text(0, 10), value)).toBe(true);
  });

  it.each([null, undefined, 0, true, [], {}, ['a']])('rejects %j, which is not a text', (value) => {
    expect(accepts(text(0, 10), value)).toBe(false);
  });
});

describe('ids', () => {
  it.each([1, 2, Number.MAX_SAFE_INTEGER])('may be %d', (value) => {
    expect(id.parse(value)).toBe(value);
    expect(idString.parse(String(value))).toBe(value);
  });

  it.each([0, -1, 1.5, 2 ** 53, '1', true, null, [1], Number.NaN])('are never %p in a body', (value) => {
    expect(accepts(id, value)).toBe(false);
  });

  it.each(['0', '-1', '1.0', '1e3', '0x1', ' 1', '1 ', '', '+1', '1abc', '9007199254740992', '١', '9'.repeat(40), 1])(
    'are never %j in a path',
    (value) => {
      expect(accepts(idString, value)).toBe(false);
    },
  );
});

it('page and limit have defaults and bounds', () => {
  const query = z.object(pageQuery);
  expect(query.parse({})).toEqual({ limit: 10 });
  expect(query.parse({ page: '3', limit: '100' })).toEqual({ page: 3, limit: 100 });
  expect(query.parse({ page: '9007199254740991' }).page).toBe(Number.MAX_SAFE_INTEGER);
  for (const wrong of [
    { page: '0' },
    { page: '-1' },
    { page: '9007199254740992' },
    { limit: '0' },
    { limit: '101' },
    { page: '1.5' },
    { limit: ['1', '2'] },
  ]) {
    expect(accepts(query, wrong)).toBe(false);
  }
  expect(integerString(-5, 5).parse('-5')).toBe(-5);
});

it('times in responses are in UTC', () => {
  expect(accepts(timestamp, new Date(0).toISOString())).toBe(true);
  expect(accepts(timestamp, '2026-01-31T09:00:00+01:00')).toBe(false);
});

it('a text reports only one error, and does not hide rules about several parameters', () => {
  const bound = z.string().transform(BigInt);
  const query = z
    .object({ page: integerString(1, 9), name: nameText, min: bound, max: bound })
    .refine(...inOrder('min', 'max'));
  const { error } = query.safeParse({ page: 'x', name: '\u200b', min: '5', max: '1' });
  expect(error?.issues.map(({ path, message }) => `${path} ${message}`)).toEqual([
    'page must be a whole number',
    'name must contain a visible character',
    'min must not be over max',
  ]);
});
