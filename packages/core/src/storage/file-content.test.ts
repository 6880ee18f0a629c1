import { aGif, aJpeg, aPdf, aPng, aWebp } from '@shop/testing';
import { acceptFile, displayName } from './file-content';
import { fileKinds, imageKinds } from './stored-name';

const accept = (content: Buffer | string, originalName = 'file', declaredType = '', kinds = fileKinds) =>
  acceptFile({ bytes: Buffer.from(content), originalName, declaredType }, kinds, 'file');

describe('what a file is', () => {
  test.each([
    ['a JPEG', aJpeg(), 'jpg'],
    ['a PNG', aPng(), 'png'],
    ['a GIF', aGif(), 'gif'],
    ['a WebP', aWebp(), 'webp'],
    ['a PDF', aPdf(), 'pdf'],
    ['plain text', 'Grüße 👋, 1 < 2 & 3 > 2\r\n\tindented\f', 'txt'],
    ['text with a byte order mark', '\ufeffhello', 'txt'],
    ['text that speaks of <b>bold</b> words', 'text that speaks of <b>bold</b> words', 'txt'],
  ])('%s is told by its bytes', (_, content, kind) => {
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
    ['text with a NUL', 'a\0b'],
    ['text with an escape character', 'a\x1b[31mb'],
    ['text that is not UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
    ['text in UTF-16', Buffer.from('\ufeffhello', 'utf16le')],
    ['a PNG without its header chunk', Buffer.from('89504e470d0a1a0a0000000000000000', 'hex')],
    ['a cut PNG signature', aPng().subarray(0, 10)],
    ['a RIFF file that is no WebP', Buffer.from('524946461a00000057415645666d7420', 'hex')],
    ['a ZIP', Buffer.from('504b0304140000000800', 'hex')],
    ['an executable', Buffer.from('4d5a90000300000004000000ffff0000', 'hex')],
  ])('%s is refused', (_, content) => {
    expect(() => accept(content)).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
  });

  test('an empty file is invalid and names its field', () => {
    expect(() => accept('')).toThrow(
      expect.objectContaining({ code: 'invalid_request', errors: [expect.objectContaining({ path: 'file' })] }),
    );
  });

  test('only what the endpoint accepts passes', () => {
    expect(accept(aPng(), 'a.png', 'image/png', imageKinds)).toBe('png');
    expect(() => accept('text', 'a.txt', 'text/plain', imageKinds)).toThrow();
  });
});

describe('what the client says of it', () => {
  test.each([
    [aJpeg(), 'a.JPEG', 'image/jpeg; q=1'],
    [aJpeg(), 'a.jpg', 'image/jpg'],
    [aPng(), 'no extension', 'application/octet-stream'],
    [aPng(), 'version.2', ''],
    [Buffer.from('a,b'), 'a.csv', 'text/csv'],
    [Buffer.from('# hi'), 'README.md', 'text/plain; charset=utf-8'],
    [Buffer.from('hi'), 'page.html.txt', 'text/plain'],
    [Buffer.from('hi'), 'a.constructor', 'text/plain'],
  ])('%#: may be true', (bytes, name, type) => {
    expect(() => accept(bytes, name, type)).not.toThrow();
  });

  test.each([
    [aPng(), 'a.png', 'image/jpeg'],
    [aPng(), 'a.jpg', 'image/png'],
    [aPng(), 'a.png', 'text/html'],
    [aPng(), 'a.png', 'constructor'],
    [aPng(), 'a.svg', ''],
    [aPng(), 'a.php', 'image/png'],
    [aPng(), 'a.php. ', 'image/png'],
    [Buffer.from('alert(1)'), 'a.js', 'text/plain'],
    [Buffer.from('alert(1)'), 'a.txt', 'text/javascript'],
    [Buffer.from('{}'), 'a.json', 'text/plain'],
    [Buffer.from('hi'), 'a.html', 'text/plain'],
    [Buffer.from('hi'), '.htaccess', 'text/plain'],
    [Buffer.from('hi'), 'a.pdf', 'text/plain'],
  ])('%#: contradicts the content', (bytes, name, type) => {
    expect(() => accept(bytes, name, type)).toThrow(expect.objectContaining({ code: 'unsupported_media_type' }));
  });
});

test.each([
  ['C:\\fakepath\\my photo.png', 'my photo.png'],
  ['../../etc/passwd', 'passwd'],
  ['Grüße 👋 – "ok".txt', 'Grüße 👋 – "ok".txt'],
  ['a\0b\nc.txt', 'abc.txt'],
  ['folder/', 'file'],
  ['\u200b\u3164\u202e', 'file'],
  ['👋'.repeat(300), '👋'.repeat(255)],
])('the display name of %j keeps its characters and loses path and controls', (given, shown) => {
  expect(displayName(given)).toBe(shown);
});
