import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  aPng,
  aUser,
  eventually,
  S3_KEYS,
  type S3Server,
  startApp,
  startS3Server,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { fileService } from '../service';

let s3: S3Server;
let app: TestApp;
let user: TestUser;

let folder: string;

const bucketEnv = (server: S3Server) => ({
  UPLOAD_PATH: folder,
  S3_BUCKET: server.bucket,
  S3_ENDPOINT: server.endpoint,
  S3_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
  S3_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
});

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-bucket-'));
  s3 = await startS3Server();
  app = await startApp(fileService, bucketEnv(s3));
  user = await aUser();
});
afterAll(async () => {
  await app.close();
  await s3.close();
});

const upload = (bytes: Buffer, filename: string, contentType: string, to = app) =>
  to.http.post('/api/v1/files/upload').set(user.auth).attach('file', bytes, { filename, contentType });

async function uploaded(bytes: Buffer | string, filename = 'a.txt', contentType = 'text/plain'): Promise<string> {
  const { body } = await upload(Buffer.from(bytes), filename, contentType).expect(201);
  return body.url;
}

test('stores a file in the bucket under its stored name and type, and another replica serves it', async () => {
  const url = await uploaded(aPng(), 'a.png', 'image/png');
  expect(s3.objects.get(path.basename(url))).toMatchObject({ bytes: aPng(), contentType: 'image/png' });
  const replica = await startApp(fileService, bucketEnv(s3));
  try {
    const { body, headers } = await replica.http.get(url).expect(200);
    expect(body).toEqual(aPng());
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(aPng().length),
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      etag: expect.any(String),
      'last-modified': expect.any(String),
    });
  } finally {
    await replica.close();
  }
});

test('responds to ranges, conditional requests and HEAD as with a folder', async () => {
  const url = await uploaded('0123456789');
  const { headers } = await app.http.head(url).expect(200).expect('Content-Length', '10');
  const { etag = '', 'last-modified': modified = '' } = headers;
  await app.http.get(url).set('Range', 'bytes=2-4').expect(206, '234').expect('Content-Range', 'bytes 2-4/10');
  await app.http.get(url).set('Range', 'bytes=-1').expect(206, '9');
  await app.http.get(url).set({ Range: 'bytes=2-4', 'If-Range': etag }).expect(206, '234');
  await app.http.get(url).set({ Range: 'bytes=2-4', 'If-Range': '"other"' }).expect(200, '0123456789');
  const { body } = await app.http.get(url).set('Range', 'bytes=10-').expect(416).expect('Content-Range', 'bytes */10');
  expect(body.code).toBe('range_not_satisfiable');
  await app.http.get(url).set('If-None-Match', etag).expect(304).expect('ETag', etag);
  await app.http.head(url).set('If-None-Match', etag).expect(304);
  await app.http.get(url).set('If-Modified-Since', modified).expect(304);
  await app.http.get(url).set('If-Match', '"other"').expect(412);
  await app.http.get(url).set('If-Match', etag).expect(200);
  await app.http
    .get(`/uploads/1_${'0'.repeat(32)}.txt`)
    .set('If-None-Match', '*')
    .expect(404);
});

test('responds 404 to a missing file, and asks the bucket for well-formed names only', async () => {
  await app.http.get(`/uploads/1_${'0'.repeat(32)}.txt`).expect(404);
  await app.http.head(`/uploads/1_${'0'.repeat(32)}.txt`).expect(404);
  await app.http.get('/uploads/..%2fother-bucket%2fsecret').expect(404);
});

test('deletes the object from the bucket', async () => {
  const url = await uploaded('bye');
  await app.http
    .delete(`/api/v1/files/${path.basename(url)}`)
    .set(user.auth)
    .expect(204);
  expect(s3.objects.has(path.basename(url))).toBe(false);
  await app.http.get(url).expect(404);
});

test.each([
  ['the key is wrong', { S3_SECRET_ACCESS_KEY: 'wrong' }],
  ['the bucket does not exist', { S3_BUCKET: 'missing' }],
  ['nothing listens', { S3_ENDPOINT: 'http://127.0.0.1:1' }],
])('responds 503 when %s, and keeps no row', async (_, setting) => {
  const broken = await startApp(fileService, { ...bucketEnv(s3), ...setting });
  try {
    const before = await app.http.get('/api/v1/files').set(user.auth).expect(200);
    const { body, text } = await upload(aPng(), 'a.png', 'image/png', broken).expect(503);
    expect(body.code).toBe('storage_unavailable');
    expect(text).not.toMatch(/127\.0\.0\.1|missing|Signature/);
    await broken.http.get(`/uploads/1_${'0'.repeat(32)}.txt`).expect(503);
    const after = await app.http.get('/api/v1/files').set(user.auth).expect(200);
    expect(after.body.pagination.total).toBe(before.body.pagination.total);
  } finally {
    await broken.close();
  }
});

test('requires the keys of a bucket, and a folder without a bucket', async () => {
  const none = { UPLOAD_PATH: '', S3_BUCKET: '' };
  await expect(startApp(fileService, none)).rejects.toThrow('UPLOAD_PATH: is required');
  await expect(startApp(fileService, { ...none, S3_BUCKET: 'b', S3_ENDPOINT: 'not a url' })).rejects.toThrow(
    /S3_ENDPOINT: must be a URL[\s\S]*S3_ACCESS_KEY_ID: is required[\s\S]*S3_SECRET_ACCESS_KEY: is required/,
  );
});

const waiting = () => readdir(path.join(folder, '.incoming')).catch(() => []);

test('leaves nothing of a refused file, in the bucket or on disk', async () => {
  const before = s3.objects.size;
  await upload(aPng(5 * 1024 * 1024 + 1), 'a.png', 'image/png').expect(413);
  await upload(Buffer.from(`${'x'.repeat(100_000)}<script>`), 'a.txt', 'text/plain').expect(415);
  await upload(Buffer.alloc(0), 'a.txt', 'text/plain').expect(400);
  expect(s3.objects.size).toBe(before);
  expect(await waiting()).toEqual([]);
});

test.each([500, 503, 'hang up'] as const)('tries again when the bucket responds with %j', async (failure) => {
  let failures = 1;
  s3.onPut = () => (failures-- > 0 ? failure : undefined);
  const bytes = aPng(3 * 1024 * 1024);
  const url = await uploaded(bytes, 'a.png', 'image/png');
  s3.onPut = undefined;
  expect(s3.objects.get(path.basename(url))?.bytes.equals(bytes)).toBe(true);
  expect(await waiting()).toEqual([]);
});

test.each([500, 503, 'hang up'] as const)(
  'keeps no orphan when the bucket stores a file and responds with %j',
  async (failure) => {
    const before = [...s3.objects.keys()].sort();
    s3.onPut = () => failure;
    const { body } = await upload(aPng(), 'a.png', 'image/png').expect(503);
    s3.onPut = undefined;
    expect(body.code).toBe('storage_unavailable');
    expect(await waiting()).toEqual([]);
    await eventually('the orphan to be deleted', () => [...s3.objects.keys()].sort().join() === before.join());
  },
);
