import { entityTag, gzipTag, tagNamedBy } from './entity-tag';

test('equal texts have equal strong tags, different texts have different ones', () => {
  expect(entityTag('{"id":1}')).toMatch(/^"[\w-]{22}"$/);
  expect(entityTag('{"id":1}')).toBe(entityTag('{"id":1}'));
  expect(entityTag('{"id":1}')).not.toBe(entityTag('{"id":2}'));
  expect(gzipTag('"a"')).toBe('"a-gzip"');
});

describe('a header names a tag', () => {
  test.each([
    ['"1"', '"1"', '"1"'],
    ['W/"1"', '"1"', undefined],
    ['*', '"1"', '"1"'],
    [' * ', '"1"', '"1"'],
    ['"0", W/"9",\t"1"', '"1"', '"1"'],
    ['"0",W/"1"', '"1"', undefined],
    ['"a,"1",b"', undefined, undefined],
    ['"1', undefined, undefined],
    ['1', undefined, undefined],
    ['"1"x', undefined, undefined],
    ['w/"1"', undefined, undefined],
    ['"1" "2"', undefined, undefined],
    ['"2"', undefined, undefined],
    [',, "1" ,', '"1"', '"1"'],
    ['', undefined, undefined],
    ['"*"', undefined, undefined],
  ])('%s: compared weakly %s, strongly %s', (header, weak, strong) => {
    expect([tagNamedBy(header, ['"1"'], 'weak'), tagNamedBy(header, ['"1"'], 'strong')]).toEqual([weak, strong]);
  });

  test('a tag may contain a comma', () => {
    expect(tagNamedBy('"x", "a,b"', ['"a,b"'], 'strong')).toBe('"a,b"');
  });

  // With a regular expression that backtracks, this would take hours.
  test('a long header of malformed tags names none', () => {
    expect(tagNamedBy(',"x'.repeat(10_000), ['"1"'], 'weak')).toBeUndefined();
    expect(tagNamedBy(`${', '.repeat(10_000)}"`, ['"1"'], 'weak')).toBeUndefined();
  });
});
