import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  aGif,
  aJpeg,
  aPart,
  aPdf,
  aPng,
  aUser,
  aWebp,
  multipartBody,
  multipartType,
  rows,
  startApp,
  type TestApp,
  type TestUser,
} from '@shop/testing';
import { fileService } from '../service';

const MAX = 5 * 1024 * 1024;
const UPLOAD = '/api/v1/files/upload';

let app: TestApp;
let folder: string;
let user: TestUser;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-files-'));
  app = await startApp(fileService, { UPLOAD_PATH: folder });
});
beforeEach(async () => {
  user = await aUser();
});
afterAll(() => app.close());

const upload = (bytes: Buffer | string, filename = 'a.txt', contentType = 'text/plain', by = user) =>
  app.http.post(UPLOAD).set(by.auth).attach('file', Buffer.from(bytes), { filename, contentType });

const uploaded = async (bytes: Buffer | string, filename = 'a.txt', contentType = 'text/plain'): Promise<string> => {
  const { body } = await upload(bytes, filename, contentType).expect(201);
  return body.url;
};

const storedBy = async (owner: TestUser): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith(`${owner.id}_`));
const rowsOf = (owner: TestUser) => rows<Record<string, unknown>>('SELECT * FROM files WHERE user_id = ?', [owner.id]);

async function expectNothingLeft(): Promise<void> {
  expect(await storedBy(user)).toEqual([]);
  expect(await rowsOf(user)).toEqual([]);
  expect(await readdir(path.join(folder, '.incoming')).catch(() => [])).toEqual([]);
}

describe('POST /api/v1/files/upload', () => {
  test.each([
    ['JPEG', aJpeg(), 'a.jpg', 'image/jpeg', 'jpg'],
    ['PNG', aPng(), 'a.png', 'image/png', 'png'],
    ['GIF', aGif(), 'a.gif', 'image/gif', 'gif'],
    ['WebP', aWebp(), 'a.webp', 'image/webp', 'webp'],
    ['PDF', aPdf(), 'a.pdf', 'application/pdf', 'pdf'],
    ['plain text', Buffer.from('Grüße\n'), 'a.txt', 'text/plain', 'txt'],
  ])('stores a %s: bytes, row and response', async (_, bytes, filename, type, extension) => {
    const { body, headers } = await upload(bytes, filename, type).expect(201);
    expect(body).toEqual({
      url: expect.stringMatching(new RegExp(`^/uploads/${user.id}_[0-9a-f]{32}\\.${extension}$`)),
      filename,
      size: bytes.length,
    });
    expect(headers.location).toBe(body.url);
    const name = path.basename(body.url);
    expect(await readFile(path.join(folder, name))).toEqual(bytes);
    expect(await rowsOf(user)).toEqual([
      expect.objectContaining({ stored_name: name, original_name: filename, size_bytes: bytes.length }),
    ]);
  });

  test("keeps the characters of the client's file name and drops its path", async () => {
    const { body } = await upload('hi', 'C:\\fakepath\\Grüße 👋.txt').expect(201);
    expect(body.filename).toBe('Grüße 👋.txt');
    const long = await upload('hi', `${'é'.repeat(300)}.txt`).expect(201);
    expect(long.body.filename).toBe('é'.repeat(255));
  });

  test('accepts exactly 5 MiB', async () => {
    const { body } = await upload('a'.repeat(MAX)).expect(201);
    expect(body.size).toBe(MAX);
  });

  test('responds 413 to one byte more and leaves nothing', async () => {
    const { body } = await upload('a'.repeat(MAX + 1)).expect(413);
    expect(body.code).toBe('payload_too_large');
    await expectNothingLeft();
  });

  test.each([
    ['HTML under a text name', '<!doctype html><script>alert(1)</script>', 'a.txt', 'text/plain'],
    ['SVG declared as PNG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'a.png', 'image/png'],
    ['a PNG named .html', aPng(), 'a.html', 'image/png'],
    ['a PNG declared as JPEG', aPng(), 'a.png', 'image/jpeg'],
    ['a ZIP', Buffer.from('504b0304140000000800', 'hex'), 'a.txt', 'application/octet-stream'],
  ])('responds 415 to %s and leaves nothing', async (_, bytes, filename, type) => {
    const { body } = await upload(bytes, filename, type).expect(415);
    expect(body.code).toBe('unsupported_media_type');
    await expectNothingLeft();
  });

  test('detects the type from the content and refuses a wrong declaration', async () => {
    const send = (...type: string[]) =>
      app.http
        .post(UPLOAD)
        .set(user.auth)
        .set('Content-Type', multipartType)
        .send(multipartBody(aPart('file', aPng(), 'a.png', ...type)));
    const { body } = await send().expect(201);
    expect(body.url).toMatch(/\.png$/);
    await send('Content-Type: text/plain').expect(415);
  });

  test.each([
    ['a.csv', 'application/vnd.ms-excel'],
    ['a.csv', 'application/csv'],
    ['a.csv', 'text/x-csv'],
    ['a.csv', 'text/comma-separated-values'],
    ['a.tsv', 'text/tab-separated-values'],
  ])('accepts %s declared as %s as text', async (filename, type) => {
    const { body } = await upload('name;price\r\nTea;1\r\n', filename, type).expect(201);
    expect(body.url).toMatch(/\.txt$/);
  });

  test.each([
    ['UTF-16', Buffer.from('\ufeffname;price', 'utf16le'), 'text in UTF-16'],
    ['UTF-16 without a byte order mark', Buffer.from('name;price', 'utf16le'), 'text in UTF-16'],
    ['Windows-1252', Buffer.from('caf\xe9;1', 'latin1'), 'text that is not UTF-8'],
  ])('responds 415 to text in %s and names the encoding', async (_, bytes, encoding) => {
    const { body } = await upload(bytes, 'a.csv', 'text/csv').expect(415);
    expect(body.detail).toContain(encoding);
    await expectNothingLeft();
  });

  test.each([
    ['multipart/form-data; boundary= test-boundary', 400],
    ['multipart/form-data; boundary=', 400],
    ['multipart/form-data', 400],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, 400],
    ['multipart/form-data; boundary=test-boundary;', 201],
    ['multipart/form-data; BOUNDARY="test-boundary"', 201],
    ['multipart/mixed; boundary=test-boundary', 415],
  ])('responds to a body of type %j with %i', async (type, status) => {
    const body = multipartBody(aPart('file', aPng(), 'a.png'));
    await app.http.post(UPLOAD).set(user.auth).set('Content-Type', type).send(body).expect(status);
  });

  test('stores two concurrent uploads, each complete', async () => {
    const files = [aPng(4 * 1024 * 1024), aPng(3 * 1024 * 1024)];
    const responses = await Promise.all(files.map((bytes) => upload(bytes, 'a.png', 'image/png').expect(201)));
    for (const [index, { body }] of responses.entries()) {
      const bytes = await readFile(path.join(folder, path.basename(body.url)));
      expect(files[index]?.equals(bytes)).toBe(true);
    }
  });

  test('responds 400 to an empty file and names the field', async () => {
    const { body } = await upload('').expect(400);
    expect(body.errors).toEqual([{ in: 'body', path: 'file', code: 'too_small', message: 'must not be empty' }]);
    await expectNothingLeft();
  });

  test('responds 400 without the file, with two files, with another field, with a broken body', async () => {
    const post = () => app.http.post(UPLOAD).set(user.auth);
    await post().expect(400);
    await post().field('other', 'x').expect(400);
    await post().field('file', 'a text field, not a file').expect(400);
    await post().attach('file', aPng(), 'a.png').attach('file', aPng(), 'b.png').expect(400);
    await post().attach('image', aPng(), 'a.png').expect(400);
    await post().attach('file', aPng(), 'a.png').field('folder', '/etc').expect(400);
    await post()
      .set('Content-Type', 'multipart/form-data; boundary=x')
      .send('--x\r\nContent-Disposition: form')
      .expect(400);
    await expectNothingLeft();
  });

  test('responds 415 to JSON and 401 without a token', async () => {
    await app.http.post(UPLOAD).set(user.auth).send({}).expect(415);
    await app.http.post(UPLOAD).attach('file', aPng(), 'a.png').expect(401);
  });

  test('leaves nothing of an aborted upload', async () => {
    const request = http.request(`${app.url}${UPLOAD}`, {
      method: 'POST',
      headers: { ...user.auth, 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Length': 100_000 },
    });
    const gone = new Promise((resolve) => request.on('error', resolve));
    request.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n', () =>
      request.destroy(new Error('cut')),
    );
    await gone;
    // Later requests to the same app succeed, and nothing of the upload is left.
    await app.http
      .get('/api/v1/files')
      .set(user.auth)
      .expect(200, { data: [], pagination: { page: 1, limit: 10, total: 0, next_cursor: null } });
    await expectNothingLeft();
  });

  test('deletes the stored file when its row is refused', async () => {
    const { auth } = user;
    const gone = { ...user, id: 999_999_999 };
    const { accessTokenIssuer, secretKey } = await import('@shop/core/auth');
    const { token } = accessTokenIssuer(secretKey('a-secret-for-tests-only-0123456789abcdef')).issue({
      id: gone.id,
      role: 'user',
    });
    await app.http
      .post(UPLOAD)
      .set({ ...auth, Authorization: `Bearer ${token}` })
      .attach('file', aPng(), 'a.png')
      .expect(401);
    expect(await storedBy(gone)).toEqual([]);
  });

  test('responds 503 and leaves nothing while the database is unreachable', async () => {
    const lost = await startApp(fileService, { UPLOAD_PATH: folder, DB_PORT: '1' });
    try {
      const { body } = await lost.http.post(UPLOAD).set(user.auth).attach('file', aPng(), 'a.png').expect(503);
      expect(body.code).toBe('database_unavailable');
    } finally {
      await lost.close();
    }
    await expectNothingLeft();
  });

  test('responds 503 storage_unavailable when nothing can be written, without revealing the path', async () => {
    const file = path.join(folder, 'not-a-folder');
    await writeFile(file, '');
    const broken = await startApp(fileService, { UPLOAD_PATH: file });
    try {
      const { body, headers, text } = await broken.http
        .post(UPLOAD)
        .set(user.auth)
        .attach('file', aPng(), 'a.png')
        .expect(503);
      expect(body.code).toBe('storage_unavailable');
      expect(headers['retry-after']).toBeDefined();
      expect(text).not.toContain(folder);
    } finally {
      await broken.close();
    }
    await expectNothingLeft();
  });
});

describe('GET /api/v1/files', () => {
  test("lists the caller's own uploads, newest first, page by page", async () => {
    const urls = [
      await uploaded('one', '1.txt'),
      await uploaded('two', '2.txt'),
      await uploaded(aPng(), '3.png', 'image/png'),
    ];
    await upload('of another', 'x.txt', 'text/plain', await aUser()).expect(201);
    const first = await app.http.get('/api/v1/files?limit=2').set(user.auth).expect(200);
    expect(first.body.pagination).toEqual({ page: 1, limit: 2, total: 3, next_cursor: expect.any(String) });
    expect(first.body.data.map(({ url }: { url: string }) => url)).toEqual([urls[2], urls[1]]);
    expect(first.body.data[0]).toEqual({
      filename: path.basename(String(urls[2])),
      original_name: '3.png',
      url: urls[2],
      content_type: 'image/png',
      size: aPng().length,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    const past = await app.http.get('/api/v1/files?page=9').set(user.auth).expect(200);
    expect(past.body).toEqual({ data: [], pagination: { page: 9, limit: 10, total: 3, next_cursor: null } });
  });

  test('responds 400 to a bad page and 401 without a token', async () => {
    const { body } = await app.http.get('/api/v1/files?page=0&limit=x').set(user.auth).expect(400);
    expect(body.errors.map(({ path: where }: { path: string }) => where)).toEqual(['page', 'limit']);
    await app.http.get('/api/v1/files').expect(401);
  });
});

describe('DELETE /api/v1/files/:filename', () => {
  const remove = (name: string, by: TestUser) => app.http.delete(`/api/v1/files/${name}`).set(by.auth);

  test('deletes row and file for the owner and for an admin', async () => {
    for (const by of [user, await aUser({ role: 'admin' })]) {
      const url = await uploaded('bye');
      await remove(path.basename(url), by).expect(204, '');
      await app.http.get(url).expect(404);
      await remove(path.basename(url), by).expect(404);
    }
    await expectNothingLeft();
  });

  test('responds 403 to another user and keeps the file', async () => {
    const url = await uploaded('mine');
    const { body } = await remove(path.basename(url), await aUser()).expect(403);
    expect(body.code).toBe('forbidden');
    await app.http.get(url).expect(200, 'mine');
  });

  test('responds 404 to anything but an upload, such as a product image, and 401 without a token', async () => {
    const image = `${user.id}_${'0'.repeat(32)}.png`;
    await writeFile(path.join(folder, image), aPng());
    await remove(image, user).expect(404);
    await remove('..%2f..%2fetc%2fpasswd', user).expect(404);
    await app.http.get(`/uploads/${image}`).expect(200);
    await app.http.delete(`/api/v1/files/${image}`).expect(401);
    await remove('%ff', user).expect(400);
  });
});
