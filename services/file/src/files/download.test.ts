import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { aJpeg, aPdf, aPng, aUser, startApp, type TestApp } from '@shop/testing';
import { fileService } from '../service';

let app: TestApp;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-files-'));
  app = await startApp(fileService, { UPLOAD_PATH: folder });
});
afterAll(() => app.close());

async function uploaded(bytes: Buffer | string, filename = 'a.txt', contentType = 'text/plain'): Promise<string> {
  const { auth } = await aUser();
  const file = Buffer.from(bytes);
  const { body } = await app.http
    .post('/api/v1/files/upload')
    .set(auth)
    .attach('file', file, { filename, contentType })
    .expect(201);
  return body.url;
}

/** Sends the path exactly as given: HTTP clients normalize `..`. */
const rawStatus = (target: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(app.url);
    http
      .get({ host: '127.0.0.1', port, path: target, agent: false }, (res) => {
        res.resume();
        resolve(res.statusCode ?? 0);
      })
      .on('error', reject);
  });

test('serves a file to anyone, with its type and cacheable for a year', async () => {
  const url = await uploaded(aJpeg(), 'a.jpg', 'image/jpeg');
  const { body, headers } = await app.http.get(url).expect(200);
  expect(body).toEqual(aJpeg());
  expect(headers).toMatchObject({
    'content-type': 'image/jpeg',
    'content-length': String(aJpeg().length),
    'x-content-type-options': 'nosniff',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'cross-origin',
    'accept-ranges': 'bytes',
    etag: expect.any(String),
    'last-modified': expect.any(String),
  });
  expect(headers['content-disposition']).toBeUndefined();
});

test.each([
  [aPdf(), 'a.pdf', 'application/pdf', 'application/pdf'],
  [Buffer.from('hi'), 'a.txt', 'text/plain', 'text/plain; charset=utf-8'],
])('%#: sends PDFs and text as attachments', async (bytes, filename, type, served) => {
  const url = await uploaded(bytes, filename, type);
  const { headers } = await app.http.get(url).expect(200).expect('Content-Type', served);
  expect(headers['content-disposition']).toBe(`attachment; filename="${path.basename(url)}"`);
});

test('responds to HEAD like GET, without the body', async () => {
  const url = await uploaded(aPng(), 'a.png', 'image/png');
  await app.http
    .head(url)
    .expect(200)
    .expect('Content-Length', String(aPng().length))
    .expect('Content-Type', 'image/png');
});

test.each([
  ['bytes=0-3', '0123', 'bytes 0-3/10'],
  ['bytes=7-', '789', 'bytes 7-9/10'],
  ['bytes=-2', '89', 'bytes 8-9/10'],
  ['bytes=5-1000', '56789', 'bytes 5-9/10'],
])('responds 206 to Range %s', async (range, part, contentRange) => {
  const url = await uploaded('0123456789');
  await app.http.get(url).set('Range', range).expect(206, part).expect('Content-Range', contentRange);
});

test('responds 416 to a range past the end, with the size and an uncacheable problem', async () => {
  const url = await uploaded('0123456789');
  const { body, headers } = await app.http
    .get(url)
    .set('Range', 'bytes=10-')
    .expect(416)
    .expect('Content-Range', 'bytes */10');
  expect(body).toMatchObject({ status: 416, code: 'range_not_satisfiable' });
  expect(headers['content-type']).toContain('application/problem+json');
  for (const header of ['etag', 'last-modified', 'content-disposition']) expect(headers[header]).toBeUndefined();
  expect(headers['cache-control'] ?? '').not.toContain('immutable');
});

test('responds to conditional requests: 304, 412, and the whole file to an outdated If-Range', async () => {
  const url = await uploaded('0123456789');
  const { headers } = await app.http.get(url).expect(200);
  const { etag = '', 'last-modified': modified = '' } = headers;
  await app.http.get(url).set('If-None-Match', etag).expect(304, '').expect('ETag', etag);
  await app.http.get(url).set('If-Modified-Since', modified).expect(304);
  await app.http.get(url).set('If-None-Match', '"other"').expect(200);
  await app.http.get(url).set('If-Match', '"other"').expect(412);
  await app.http.get(url).set({ Range: 'bytes=0-1', 'If-Range': '"other"' }).expect(200, '0123456789');
  expect(etag).toMatch(/^"[^"]+"$/);
  // fetch adds `no-cache` to a request that sets If-None-Match itself.
  await app.http
    .get(url)
    .set({ 'If-None-Match': `"other", W/${etag}`, 'Cache-Control': 'no-cache' })
    .expect(304);
  await app.http.get(url).set('If-Match', `W/${etag}`).expect(412);
  await app.http.get(url).set('If-Match', `"other", ${etag}`).expect(200);
  await app.http
    .get(url)
    .set({ Range: 'bytes=0-1', 'If-Range': `W/${etag}` })
    .expect(200, '0123456789');
  await app.http.get(url).set({ Range: 'bytes=0-1', 'If-Range': etag }).expect(206, '01');
});

test.each([
  '/uploads/',
  '/uploads/.',
  '/uploads/..',
  '/uploads/../../etc/passwd',
  '/uploads/..%2f..%2fetc%2fpasswd',
  '/uploads/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '/uploads/%252e%252e%252fetc%252fpasswd',
  '/uploads/..%5c..%5cwindows%5cwin.ini',
  '/uploads//etc/passwd',
  '/uploads/%2fetc%2fpasswd',
  '/uploads/.incoming',
  '/uploads/.incoming%2fx',
  '/uploads/secret.txt',
  '/uploads/a%00.txt',
  '/uploads/%',
  '/uploads/%ff',
  '/uploads/%c0%ae%c0%ae/',
  '/uploads/%c0%ae%c0%ae%2fetc%2fpasswd',
  '/uploads/%00',
  `/uploads/1_${'0'.repeat(32)}.txt`,
  `/uploads/1_${'0'.repeat(32)}.txt%00`,
  `/uploads/1_${'0'.repeat(32)}.html`,
  `/uploads/${'9'.repeat(5000)}`,
])('responds 404 to %s', async (target) => {
  await writeFile(path.join(folder, 'secret.txt'), 'secret');
  expect(await rawStatus(target)).toBe(404);
});

test('responds 404 to a folder with the name of a file', async () => {
  const name = `1_${'a'.repeat(32)}.txt`;
  await mkdir(path.join(folder, name), { recursive: true });
  const { body } = await app.http.get(`/uploads/${name}`).expect(404);
  expect(body.code).toBe('not_found');
});

test('responds 404 and creates nothing when the folder does not exist', async () => {
  const other = await startApp(fileService, { UPLOAD_PATH: path.join(folder, 'not-yet') });
  try {
    await other.http.get(`/uploads/1_${'0'.repeat(32)}.txt`).expect(404);
  } finally {
    await other.close();
  }
});

test('allows GET and HEAD only', async () => {
  const url = await uploaded('x');
  await app.http.delete(url).expect(405).expect('Allow', 'GET, HEAD, OPTIONS');
});
