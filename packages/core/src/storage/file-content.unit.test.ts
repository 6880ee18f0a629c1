import { aGif, aJpeg, aPdf, aPng, aWebp } from '@shop/testing';
import { displayName, inspectFile } from './file-content';
import { type FileKind, fileKinds, imageKinds } from './file-kinds';

/** Inspects the content in chunks of several sizes. The result must not depend on the chunk size. */
function accept(content: Buffer | string, originalName = 'file', declaredType = '', kinds = fileKinds) {
  const bytes = Buffer.from(content);
  const outcomes = [1, 2, 7, 4096, Number.POSITIVE_INFINITY].map((size) =>
    outcomeOf(() => inspectInChunks(bytes, size, { originalName, declaredType }, kinds)),
  );
  for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  const [outcome] = outcomes;
  if (outcome && 'error' in outcome) throw outcome.error;
  return outcome?.kind;
}

function inspectInChunks(
  bytes: Buffer,
  size: number,
  claims: { originalName: string; declaredType: string },
  kinds: readonly FileKind[],
): FileKind | undefined {
  const inspector = inspectFile(claims, kinds, 'file');
  for (let start = 0; start < bytes.length; start += size) inspector.push(bytes.subarray(start, start + size));
  return inspector.end();
}

function outcomeOf(inspect: () => FileKind | undefined): { kind: FileKind | undefined } | { error: unknown } {
  try {
    return { kind: inspect() };
  } catch (error) {
    return { error };
  }
}

describe('the kind of a file', () => {
  test.each([
    ['a JPEG', aJpeg(), 'jpg'],
    ['a PNG', aPng(), 'png'],
    ['a GIF', aGif(), 'gif'],
    ['a WebP', aWebp(), 'webp'],
    ['a PDF', aPdf(), 'pdf'],
    ['plain text', 'Grüße 👋, 1 < 2 & 3 > 2\r\n\tindented\f', 'txt'],
    ['text with a byte order mark', '\ufeffhello', 'txt'],
    ['text that speaks of <b>bold</b> words', 'text that speaks of <b>bold</b> words', 'txt'],
    ['text that ends with the start of a tag', 'a < b and <script', 'txt'],
    ['long text in many languages', 'zażółć 日本語 😀 ქართული \ufffd '.repeat(2000), 'txt'],
    ['white space', ' \n'.repeat(5000), 'txt'],
  ])('%s is detected from its bytes', (_, content, kind) => {
    expect(accept(content)).toBe(kind);
  });

  test.each([
    ['HTML', '<!DOCTYPE html><p>hi'],
    ['HTML after a byte order mark and blank lines', '\ufeff\n\n  <HTML><body>'],
    ['HTML after a comment', '<!-- x --><div>'],
    ['a script element far into the text', `${'a'.repeat(100_000)}<script>alert(1)</script>`],
    ['an image element with a handler', 'hello <img src=x onerror=alert(1)>'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['SVG with a prefix', 'x <s:svg xmlns:s="http://www.w3.org/2000/svg">'],
    ['XML', '<?xml version="1.0"?><a/>'],
    ['XML without a declaration', '<note><to>you</to></note>'],
    ['PHP', 'hello <?php phpinfo();'],
    ['a shell script', '#!/bin/sh\nrm -rf /'],
    ['a batch file', '@echo off\r\ndel *'],
    ['a batch file after white space', `${' \n'.repeat(5000)}@ECHO ${' '.repeat(5000)}Off`],
    ['a closing tag with a long prefix', `${'x'.repeat(100)}</abcdefghijklmnopqrst:object>`],
    ['text with a NUL', 'a\0b'],
    ['text with an escape character', 'a\x1b[31mb'],
    ['text that is not UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
    ['text in UTF-16', Buffer.from('\ufeffhello', 'utf16le')],
    ['a PNG without its header chunk', Buffer.from('89504e470d0a1a0a0000000000000000', 'hex')],
    ['a truncated PNG header', aPng().subarray(0, 10)],
    ['a RIFF file that is no WebP', Buffer.from('524946461a00000057415645666d7420', 'hex')],
    ['a ZIP', Buffer.from('504b0304140000000800', 'hex')],
    ['an executable', Buffer.from('4d5a90000300000004000000ffff0000', 'hex')],
  ])('%s is refused', (_, content) => {
    expect(() => accept(content)).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
  });

  test.each([
    ['UTF-16 with a byte order mark', Buffer.from('\ufeffhello', 'utf16le'), 'text in UTF-16'],
    ['big-endian UTF-16', Buffer.from('\ufeffこんにちは', 'utf16le').swap16(), 'text in UTF-16'],
    ['UTF-16 without a mark', Buffer.from('a;b\r\n1;2\r\n', 'utf16le'), 'text in UTF-16'],
    ['big-endian UTF-16 without a mark', Buffer.from('name;price\r\n', 'utf16le').swap16(), 'text in UTF-16'],
    ['Windows-1252', Buffer.from('name;price\r\ncaf\xe9;\x803', 'latin1'), 'text that is not UTF-8'],
    [
      'Windows-1252 far into the text',
      Buffer.from(`${'x'.repeat(10_000)}\xe9t\xe9`, 'latin1'),
      'text that is not UTF-8',
    ],
    ['Windows-1252 at its end', Buffer.from('a long enough caf\xe9', 'latin1'), 'text that is not UTF-8'],
  ])('%s is refused, and the message names the encoding', (_, content, encoding) => {
    const error = expect.objectContaining({
      code: 'unsupported_media_type',
      message: `The content of "file" is ${encoding}. Text must be UTF-8.`,
    });
    expect(() => accept(content, 'a.csv', 'text/csv')).toThrow(error);
    expect(() => accept(content, 'a.csv', 'text/csv', imageKinds)).toThrow('must be one of: jpg, png, gif, webp');
  });

  test('an empty file has no kind', () => {
    expect(accept('')).toBeUndefined();
  });

  test('a file that cannot be accepted is refused after its first bytes', () => {
    const start = (bytes: Buffer | string, kinds = fileKinds) =>
      inspectFile({ originalName: 'a', declaredType: 'image/png' }, kinds, 'file').push(Buffer.from(bytes));
    expect(() => start(aPdf(), imageKinds)).toThrow('must be one of');
    expect(() => start('plain text, 16 bytes and more', imageKinds)).toThrow('must be one of');
    expect(() => start(aJpeg())).toThrow('says otherwise');
    expect(() => start(aPng())).not.toThrow();
  });

  test('the verdict on text does not depend on the chunk size', () => {
    const random = seededRandom(1);
    const pieces = [
      '<',
      '<scr',
      'ipt',
      '>',
      ' ',
      '\ufeff',
      '@echo',
      'off',
      '<!doc',
      'type',
      'é',
      '日',
      '😀',
      'x',
      '</',
      '\0',
    ];
    const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const outcomes = new Set<unknown>();
    for (let round = 0; round < 200; round += 1) {
      const bytes = Buffer.from(Array.from({ length: 12 }, () => oneOf(pieces)).join(''));
      if (random() < 0.3) bytes[Math.floor(random() * bytes.length)] = 0xe9;
      outcomes.add('kind' in outcomeOf(() => accept(bytes)));
    }
    expect(outcomes).toEqual(new Set([true, false]));
  });

  test('only kinds that the endpoint accepts pass', () => {
    expect(accept(aPng(), 'a.png', 'image/png', imageKinds)).toBe('png');
    expect(() => accept('text', 'a.txt', 'text/plain', imageKinds)).toThrow();
  });
});

describe('the declared type and the extension', () => {
  test.each([
    [aJpeg(), 'a.JPEG', 'image/jpeg; q=1'],
    [aJpeg(), 'a.jpg', 'image/jpg'],
    [aPng(), 'no extension', 'application/octet-stream'],
    [aPng(), 'version.2', ''],
    [Buffer.from('a,b'), 'a.csv', 'text/csv'],
    [Buffer.from('a;b'), 'a.csv', 'application/vnd.ms-excel'],
    [Buffer.from('a;b'), 'A.CSV', 'Application/Vnd.MS-Excel; charset=x'],
    [Buffer.from('a\tb'), 'a.tsv', 'application/vnd.ms-excel'],
    [Buffer.from('a,b'), 'a.csv', 'application/csv'],
    [Buffer.from('a,b'), 'a.csv', 'application/x-csv'],
    [Buffer.from('a,b'), 'a.csv', 'text/x-csv'],
    [Buffer.from('a,b'), 'a.csv', 'text/comma-separated-values'],
    [Buffer.from('a,b'), 'a.csv', 'text/x-comma-separated-values'],
    [Buffer.from('# hi'), 'README.md', 'text/plain; charset=utf-8'],
    [Buffer.from('hi'), 'page.html.txt', 'text/plain'],
    [Buffer.from('hi'), 'a.constructor', 'text/plain'],
  ])('%#: compatible with the content', (bytes, name, type) => {
    expect(() => accept(bytes, name, type)).not.toThrow();
  });

  test.each([
    [aPng(), 'a.png', 'image/jpeg'],
    [aPng(), 'a.jpg', 'image/png'],
    [aPng(), 'a.png', 'text/html'],
    [aPng(), 'a.png', 'constructor'],
    [aPng(), 'a.png', 'application/vnd.ms-excel'],
    [aPng(), 'a.csv', 'application/vnd.ms-excel'],
    [Buffer.from('a,b'), 'a', 'application/vnd.ms-excel'],
    [Buffer.from('a,b'), 'a.xls', 'application/vnd.ms-excel'],
    [aPng(), 'a.svg', ''],
    [aPng(), 'a.php', 'image/png'],
    [aPng(), 'a.php. ', 'image/png'],
    [Buffer.from('alert(1)'), 'a.js', 'text/plain'],
    [Buffer.from('alert(1)'), 'a.txt', 'text/javascript'],
    [Buffer.from('{}'), 'a.json', 'text/plain'],
    [Buffer.from('hi'), 'a.html', 'text/plain'],
    [Buffer.from('hi'), '.htaccess', 'text/plain'],
    [Buffer.from('hi'), 'a.pdf', 'text/plain'],
  ])('%#: contradict the content', (bytes, name, type) => {
    expect(() => accept(bytes, name, type)).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
  });
});

/** A pseudo-random sequence that is the same in each run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test.each([
  ['C:\\fakepath\\my photo.png', 'my photo.png'],
  ['../../etc/passwd', 'passwd'],
  ['Grüße 👋 – "ok".txt', 'Grüße 👋 – "ok".txt'],
  ['a\0b\nc.txt', 'abc.txt'],
  ['folder/', 'file'],
  ['\u200b\u3164\u202e', 'file'],
  ['👋'.repeat(300), '👋'.repeat(255)],
])('the display name of %j has no path and no control characters', (given, shown) => {
  expect(displayName(given)).toBe(shown);
});
