import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { authService } from '@shop/auth';
import { fileService } from '@shop/file';
import { aPng, aUser, eventually, figure, scrape, startApp, type TestApp, type TestUser } from '@shop/testing';
import { type Gateway, sendRequest, startGateway, temporaryFolder } from './support/nginx-gateway';

const ORIGINS = ['https://one.example', 'https://two.example'];
let folder: string;
let files: TestApp;
let gateway: Gateway;
let user: TestUser;

const address = ({ url }: TestApp) => [new URL(url).host];
const startFiles = () => startApp(fileService, { UPLOAD_PATH: folder, CORS_ORIGINS: ORIGINS.join() });

beforeAll(async () => {
  folder = await temporaryFolder();
  files = await startFiles();
  gateway = await startGateway({ file: address(files) });
  user = await aUser();
});
afterAll(async () => {
  await gateway.stop();
  await files.close();
});

const get = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  sendRequest(gateway.port, url, { method, headers });

async function uploaded(bytes = aPng(), filename = 'a.png', to = files): Promise<string> {
  const { body } = await to.http
    .post('/api/v1/files/upload')
    .set(user.auth)
    .attach('file', bytes, filename)
    .expect(201);
  return body.url;
}

const downloads = async () =>
  figure(await scrape(files.url), 'http_requests_total', { endpoint: '/uploads/:filename' });

test('an image is kept from its second view on, also with many clients at once', async () => {
  const url = await uploaded();
  const before = (await downloads()) ?? 0;
  const direct = await files.http.get(url).expect(200);
  expect((await get(url)).headers['x-cache']).toBe('MISS');
  const responses = await Promise.all(Array.from({ length: 20 }, () => get(url)));
  for (const { status, text } of responses) expect([status, text]).toEqual([200, aPng().toString()]);
  expect(await downloads()).toBe(before + 3);

  const { headers, names } = await get(url, { 'x-request-id': 'mine' });
  expect(headers['x-cache']).toBe('HIT');
  expect(headers['x-request-id']).toBe('mine');
  for (const name of ['content-type', 'content-length', 'etag', 'last-modified', 'cache-control', 'accept-ranges'])
    expect([name, headers[name]]).toEqual([name, direct.headers[name]]);
  for (const name of ['content-security-policy', 'cross-origin-resource-policy', 'vary', 'x-content-type-options'])
    expect([name, headers[name]]).toEqual([name, direct.headers[name]]);
  expect(names.filter((name, index) => names.indexOf(name) !== index && name !== 'vary')).toEqual([]);
  // They would be about the request of another client.
  expect(direct.headers).toHaveProperty('ratelimit');
  expect(headers).not.toHaveProperty('ratelimit');
  expect(headers).not.toHaveProperty('ratelimit-policy');

  const etag = String(headers.etag);
  const head = await get(url, {}, 'HEAD');
  expect([head.status, head.headers['content-length'], head.text]).toEqual([200, String(aPng().length), '']);
  const known = await get(url, { 'if-none-match': etag });
  expect([known.status, known.headers.etag, known.headers['cache-control']]).toEqual([
    304,
    etag,
    direct.headers['cache-control'],
  ]);
  expect((await get(url, { 'if-match': etag })).status).toBe(200);
  const other = await get(url, { 'if-match': '"other"' });
  expect([other.status, other.json.code, other.headers['cache-control']]).toEqual([
    412,
    'precondition_failed',
    'no-store',
  ]);
  expect(await downloads()).toBe(before + 3);
});

test('each origin gets the CORS headers of its own', async () => {
  const url = await uploaded();
  // Nginx counts the views of each origin apart.
  for (const round of [1, 2, 3, 4]) {
    for (const origin of [...ORIGINS, 'https://other.example']) {
      const { headers } = await get(url, { origin });
      expect(headers.vary).toBe('Origin');
      if (round === 4) expect(headers['x-cache']).toBe('HIT');
      expect(headers['access-control-allow-origin']).toBe(ORIGINS.includes(origin) ? origin : undefined);
    }
  }
});

test('ranges come from the service, before and after the file is cached', async () => {
  const url = await uploaded(Buffer.from('0123456789'), 'a.txt');
  for (const _ of ['not cached', 'cached']) {
    const part = await get(url, { range: 'bytes=2-4' });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
    const outside = await get(url, { range: 'bytes=10-' });
    expect([outside.status, outside.json.code, outside.headers['content-range']]).toEqual([
      416,
      'range_not_satisfiable',
      'bytes */10',
    ]);
    expect(outside.headers['cache-control']).toBe('no-store');
    await get(url);
  }
  const whole = await get(url);
  expect([whole.headers['x-cache'], whole.text]).toEqual(['HIT', '0123456789']);
});

test('a file that did not exist is there as soon as it does', async () => {
  const name = `1_${randomUUID().replaceAll('-', '')}.png`;
  expect((await get(`/uploads/${name}`)).status).toBe(404);
  await writeFile(path.join(folder, name), aPng());
  expect((await get(`/uploads/${name}`)).status).toBe(200);
});

test('neither a query nor any other path is cached', async () => {
  const url = await uploaded();
  for (const target of [`${url}?a=1`, '/api/v1/files']) {
    for (const _ of ['first', 'second']) {
      const { status, headers } = await get(target, { authorization: user.auth.Authorization });
      expect([status, headers['x-cache'], headers]).toEqual([
        200,
        undefined,
        expect.objectContaining({ ratelimit: expect.any(String) }),
      ]);
    }
  }
});

test('a deleted file is gone within a minute, and one that is not stays cached', async () => {
  const [kept, deleted] = [await uploaded(), await uploaded()];
  for (const url of [kept, kept, deleted, deleted]) expect((await get(url)).status).toBe(200);
  await files.http
    .delete(`/api/v1/files/${path.basename(deleted)}`)
    .set(user.auth)
    .expect(204);
  const since = Date.now();
  await eventually('the file to be gone', async () => (await get(deleted)).status === 404);
  expect(Date.now() - since).toBeLessThan(60_000);
  // By now both have expired. The service only says that it has not changed.
  const unchanged = async () =>
    figure(await scrape(files.url), 'http_requests_total', { endpoint: '/uploads/:filename', status: '304' }) ?? 0;
  const before = await unchanged();
  for (const _ of ['revalidated', 'cached']) expect((await get(kept)).headers['x-cache']).toBe('HIT');
  expect(await unchanged()).toBe(before + 1);
});

test('a file that was seen once is gone as soon as it is deleted', async () => {
  const url = await uploaded();
  expect((await get(url)).status).toBe(200);
  await files.http
    .delete(`/api/v1/files/${path.basename(url)}`)
    .set(user.auth)
    .expect(204);
  expect((await get(url)).status).toBe(404);
});

test('a cached file outlasts the service for some seconds', async () => {
  const replica = await startFiles();
  const other = await startGateway({ file: address(replica) });
  try {
    const url = await uploaded(aPng(), 'a.png', replica);
    for (const _ of ['first', 'second']) await sendRequest(other.port, url);
    await replica.close();
    expect((await sendRequest(other.port, url)).status).toBe(200);
    expect((await sendRequest(other.port, await uploaded())).status).toBe(503);
    await eventually('it to expire', async () => (await sendRequest(other.port, url)).status === 503);
  } finally {
    await other.stop();
  }
});

test('the styles and scripts of /docs are cached, its pages are not', async () => {
  const auth = await startApp(authService);
  const other = await startGateway({ auth: address(auth) });
  try {
    for (const url of ['/docs/docs.css', '/docs/swagger-ui-bundle.js', '/docs/reference']) {
      for (const cache of ['MISS', 'MISS', 'HIT']) {
        const { status, headers } = await sendRequest(other.port, url);
        expect([status, headers['x-cache']]).toEqual([200, url.includes('.') ? cache : undefined]);
      }
    }
  } finally {
    await other.stop();
    await auth.close();
  }
});
