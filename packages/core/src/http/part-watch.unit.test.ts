import { aPart, multipartBody, type RawPart } from '@shop/testing';
import { PartWatch } from './part-watch';

const NOT_UTF8 = Buffer.from('caf\xe9', 'latin1');

/** Pushes the body in chunks of several sizes. The result must not depend on the chunk size. */
function watchParts(...parts: RawPart[]): { broken: string[]; fileHasType: boolean } {
  const body = multipartBody(...parts);
  const [first, ...others] = [1, 2, 5, 64, body.length].map((size) => {
    const watch = new PartWatch('test-boundary');
    for (let start = 0; start < body.length; start += size) watch.push(body.subarray(start, start + size));
    return { broken: watch.brokenTexts(), fileHasType: watch.fileHasType };
  });
  for (const other of others) expect(other).toEqual(first);
  return first as { broken: string[]; fileHasType: boolean };
}

test('names the texts that are not UTF-8', () => {
  const parts = [
    aPart('good', 'zażółć 日本語 😀 \ufffd'),
    aPart('latin', NOT_UTF8),
    aPart('cut', Buffer.from('😀').subarray(0, 3)),
    aPart('empty', ''),
    aPart('dashes', '\r\n--test-boundar\r\n--'),
    aPart('declared', NOT_UTF8, undefined, 'Content-Type: text/plain; charset="UTF-8"'),
    aPart('other charset', NOT_UTF8, undefined, 'Content-Type: text/plain; charset=iso-8859-1'),
    aPart('file', NOT_UTF8, 'a.txt'),
    aPart('Größe', NOT_UTF8),
  ];
  expect(watchParts(...parts).broken).toEqual(['latin', 'cut', 'declared', 'Größe']);
});

test('reports whether the file has a declared type', () => {
  const text = aPart('text', 'Content-Type: image/png', undefined, 'Content-Type: text/plain');
  expect(watchParts(text, aPart('file', 'Content-Type: image/png', 'a')).fileHasType).toBe(false);
  expect(watchParts(text, aPart('file', 'x', 'a', 'content-TYPE:image/png'), text).fileHasType).toBe(true);
});

test('skips everything that is not a part', () => {
  const watch = new PartWatch('b');
  watch.push(Buffer.from('preamble \xe9\r\n--bX not a delimiter line\r\n--b\r\n\r\nno name \xe9', 'latin1'));
  watch.push(Buffer.from('\r\n--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n\xe9\r\n--b--\r\n', 'latin1'));
  watch.push(Buffer.from('epilogue\r\n--b\r\nContent-Disposition: form-data; name="m"\r\n\r\n\xe9\r\n--b', 'latin1'));
  expect(watch.brokenTexts()).toEqual(['n']);
});

test('does not buffer endless headers', () => {
  const watch = new PartWatch('b');
  watch.push(Buffer.from('--b\r\n'));
  for (let i = 0; i < 1000; i += 1) watch.push(Buffer.alloc(1000, 'x'));
  watch.push(Buffer.from('\r\n\r\n\xe9\r\n--b', 'latin1'));
  expect(watch.brokenTexts()).toEqual([]);
});
