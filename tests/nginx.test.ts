import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ServiceName, serviceNames } from '@shop/test-servers';
import { version as packageVersion } from '../package.json';
import {
  accessLog,
  type Echo,
  type Gateway,
  sendRaw,
  sendRequest,
  startEcho,
  startGateway,
  temporaryFolder,
  until,
} from './support/nginx-gateway';

const echoes: Echo[] = [];
let gateway: Gateway;
let port: number;

beforeAll(async () => {
  const started = await Promise.all(serviceNames.map((service) => startEcho(service)));
  echoes.push(...started);
  const addresses = started.map((echo, index) => [serviceNames[index], [echo.address]]);
  gateway = await startGateway(Object.fromEntries(addresses));
  port = gateway.port;
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all(echoes.map((echo) => echo.close()));
});

const PROBLEM = 'application/problem+json';
const requestsSeen = () => echoes.reduce((sum, { seen }) => sum + seen.length, 0);
const seenBy = (service: ServiceName) => echoes[serviceNames.indexOf(service)]?.seen.at(-1);

describe('routes', () => {
  test.each([
    ['/api/v1/auth/login', 'auth'],
    ['/api/v1/users/7', 'auth'],
    ['/api/v1/categories', 'auth'],
    ['/api/v1/categories?page=2&search=a%20b', 'auth'],
    ['/api/v1/products', 'product'],
    ['/api/v1/products/', 'product'],
    ['/api/v1/products/1', 'product'],
    ['/api/v1/catalog/products?limit=1', 'product'],
    ['/api/v1/transactions/1', 'transaction'],
    ['/api/v1/addresses', 'address'],
    ['/api/v1/stores/3', 'store'],
    ['/api/v1/files/upload', 'file'],
    ['/uploads/7_a.png', 'file'],
    ['/docs', 'auth'],
    ['/docs/swagger-ui.css', 'auth'],
  ])('%s is passed to %s unchanged', async (path, service) => {
    const { status, json } = await sendRequest(port, path);
    expect([status, json.service, json.url]).toEqual([200, service, path]);
  });

  test.each([['/health', 'auth'], ...serviceNames.map((service) => [`/health/${service}`, service])])(
    '%s reports the health of %s',
    async (path, service) => {
      const { json } = await sendRequest(port, path);
      expect([json.service, json.url]).toEqual([service, '/health']);
    },
  );

  test.each([
    '/metrics',
    '/ready',
    '/health/nobody',
    '/healthy',
    '/api/v1/productsX',
    '/api/v1/product',
    '/x/..%2fapi/v1/products',
    '//api/v1/products',
    '/uploads',
    '/docsX',
    '/_problem',
    '/_malformed',
    '/html/openapi.json',
    '/index.html',
    '/storefront/index.html',
    '/storefront/assets/none.js',
    '/storefront/assets/../index.html',
  ])('%s is unknown to the gateway', async (path) => {
    const before = requestsSeen();
    const { status, headers, json } = await sendRequest(port, path, { headers: { 'x-request-id': 'look-1' } });
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([404, PROBLEM, 'no-store']);
    expect(json).toEqual({
      type: '/docs/errors/not_found',
      title: 'Not Found',
      status: 404,
      detail: expect.any(String),
      code: 'not_found',
      request_id: 'look-1',
    });
    expect(requestsSeen()).toBe(before);
  });

  test.each([
    '/uploads/a%2fb.png',
    '/uploads/x/%2e%2e/a.png',
    '/uploads/%252e%252e/a.png',
    '/api/v1/products/../../../metrics',
    '/api/v1/products//1',
    '/api/v1/products/%C3%A9?q=%2e%2e%2f&q=+',
  ])('%s reaches the service unchanged', async (path) => {
    expect((await sendRequest(port, path)).json.url).toBe(path);
  });

  test.each([
    '/uploads/../../etc/passwd',
    '/uploads/%2e%2e/%2e%2e/etc/passwd',
    '/uploads/..%2f..%2fetc',
    '/uploads/%zz',
  ])('%s is a 404', async (path) => {
    const { status, json } = await sendRequest(port, path);
    expect([status, json.code]).toEqual([404, 'not_found']);
  });

  test('serves the document at /openapi.json and the page at /docs', async () => {
    const { status, headers, json } = await sendRequest(port, '/openapi.json');
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json', 'no-cache']);
    expect(json.openapi).toMatch(/^3\.1\./);
    expect((await sendRequest(port, '/openapi.json', { method: 'HEAD' })).status).toBe(200);
    const refused = await sendRequest(port, '/openapi.json', { method: 'DELETE' });
    expect([refused.status, refused.json.code, refused.headers.allow]).toEqual([
      405,
      'method_not_allowed',
      'GET, HEAD',
    ]);
  });

  test('HEAD is passed on, and the response has no body', async () => {
    const passed = await sendRequest(port, '/api/v1/products/1', { method: 'HEAD' });
    expect([passed.status, passed.text, seenBy('product')?.method]).toEqual([200, '', 'HEAD']);
    const refused = await sendRequest(port, '/nothing', { method: 'HEAD' });
    expect([refused.status, refused.text, refused.headers['content-type']]).toEqual([404, '', PROBLEM]);
  });
});

describe('the page at /', () => {
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
  const SCRIPTS = ['*/*', 'application/json', 'application/json, text/html;q=0.5', 'text/html;q=0, */*', ''];
  let shop: Gateway;
  let htmlDir: string;

  beforeAll(async () => {
    htmlDir = await temporaryFolder();
    await mkdir(path.join(htmlDir, 'storefront/assets'), { recursive: true });
    await writeFile(path.join(htmlDir, 'storefront/index.html'), '<!doctype html>');
    await writeFile(path.join(htmlDir, 'storefront/assets/index-a1b2.js'), 'let a;');
    shop = await startGateway({}, { htmlDir });
  });
  afterAll(async () => {
    await shop?.stop();
    await rm(htmlDir, { recursive: true });
  });

  test('is the storefront for a browser, with a strict policy', async () => {
    const { status, headers, text } = await sendRequest(shop.port, '/?utm=1', { headers: { accept: BROWSER } });
    expect([status, text]).toEqual([200, '<!doctype html>']);
    expect(headers).toMatchObject({ 'content-type': 'text/html', 'cache-control': 'no-cache', vary: 'Accept' });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
    expect(headers['content-security-policy']).not.toMatch(/unsafe|data:|\*/);
  });

  test.each(SCRIPTS)('is an index for "%s"', async (accept) => {
    const { status, headers, json } = await sendRequest(shop.port, '/', { headers: accept ? { accept } : {} });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-cache', vary: 'Accept' });
    expect(json).toMatchObject({ service: 'shop', version: packageVersion, docs: '/docs', openapi: '/openapi.json' });
    const { paths } = (await sendRequest(port, '/openapi.json')).json as { paths: Record<string, { get?: object }> };
    const collections = Object.values(json).filter((link) => String(link).startsWith('/api/'));
    expect(collections).toHaveLength(6);
    for (const link of collections) expect([link, paths[String(link)]?.get]).toEqual([link, expect.anything()]);
  });

  test('is an index with a strong ETag, revalidated by it', async () => {
    const { headers } = await sendRequest(shop.port, '/');
    expect(headers.etag).toMatch(/^"[\w-]+"$/);
    for (const method of ['GET', 'HEAD']) {
      const sent = async (tags: string) =>
        await sendRequest(shop.port, '/', { method, headers: { 'if-none-match': tags } });
      for (const tags of [String(headers.etag), `"other", W/${headers.etag}`, '*']) {
        const unchanged = await sent(tags);
        expect([unchanged.status, unchanged.headers.etag, unchanged.text]).toEqual([304, headers.etag, '']);
        expect(unchanged.headers).toMatchObject({ 'cache-control': 'no-cache', vary: 'Accept' });
        expect(unchanged.headers['content-length']).toBe(headers['content-length']);
      }
      expect((await sent('"other"')).status).toBe(200);
    }
    expect((await sendRequest(shop.port, '/nothing')).headers.etag).toBeUndefined();
  });

  test('is the index for a browser, too, if the storefront has not been built', async () => {
    await rm(path.join(htmlDir, 'storefront/index.html'));
    const { status, json } = await sendRequest(shop.port, '/', { headers: { accept: BROWSER } });
    expect([status, json.service]).toEqual([200, 'shop']);
  });

  test('can only be read', async () => {
    expect((await sendRequest(shop.port, '/', { method: 'HEAD' })).status).toBe(200);
    const { status, headers } = await sendRequest(shop.port, '/', { method: 'POST', body: '{}' });
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  test('has files that never change, outside the bucket of the API', async () => {
    const limited = await startGateway({}, { htmlDir, limits: {} });
    try {
      const all = await Promise.all(
        Array.from({ length: 60 }, () => sendRequest(limited.port, '/storefront/assets/index-a1b2.js')),
      );
      expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
      expect(all[0]?.headers).toMatchObject({
        'content-type': 'text/javascript',
        'cache-control': 'public, max-age=31536000, immutable',
      });
    } finally {
      await limited.stop();
    }
  });
});

describe('request id', () => {
  const made = /^[0-9a-f]{32}$/;

  test.each(['a', 'trace-1/2:3', '~!@#$%^&*()', 'x'.repeat(128), 'a"b', 'a\\b', '"\\""', '\\n"\\u0041'])(
    'keeps %s',
    async (id) => {
      const headers = { 'x-request-id': id };
      const passed = await sendRequest(port, '/api/v1/products', { headers });
      expect([seenBy('product')?.headers['x-request-id'], passed.headers['x-request-id']]).toEqual([id, id]);
      expect(passed.names.filter((name) => name === 'x-request-id')).toHaveLength(1);
      const own = await sendRequest(port, '/nothing', { headers });
      expect([own.json.request_id, own.headers['x-request-id']]).toEqual([id, id]);
      expect(own.names.filter((name) => name === 'x-request-id')).toHaveLength(1);
    },
  );

  test.each(['', 'two words', 'x'.repeat(129), 'caf\u00e9', 'a\tb', '"'.repeat(5), `${'\\'.repeat(3)}""`])(
    'makes one instead of "%s"',
    async (id) => {
      const headers = { 'x-request-id': id };
      const passed = await sendRequest(port, '/api/v1/products', { headers });
      expect(passed.headers['x-request-id']).toMatch(made);
      expect(seenBy('product')?.headers['x-request-id']).toBe(passed.headers['x-request-id']);
      const own = await sendRequest(port, '/nothing', { headers });
      expect(own.headers['x-request-id']).toMatch(made);
      expect(own.json.request_id).toBe(own.headers['x-request-id']);
    },
  );

  test('generates one if there is none', async () => {
    const { headers } = await sendRequest(port, '/api/v1/products');
    expect(headers['x-request-id']).toMatch(made);
  });

  test('is in the access log line, without query and token', async () => {
    await sendRequest(port, '/api/v1/stores/1?secret=1', { method: 'PATCH', headers: { 'x-request-id': 'log"1' } });
    await sendRequest(port, '/nothing?secret=1', { method: 'POST', body: '{}', headers: { 'x-request-id': 'log-2' } });
    const logged = (id: string) =>
      until(`a log line of ${id}`, async () => (await accessLog(gateway)).find((line) => line.request_id === id));
    expect(await logged('log"1')).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/stores/1',
      status: 200,
      service: 'store',
      client_ip: '127.0.0.1',
      request_time: expect.any(Number),
      upstream_addr: echoes[4]?.address,
      upstream_status: '200',
    });
    expect(await logged('log-2')).toMatchObject({ method: 'POST', path: '/nothing', status: 404, upstream_addr: '' });
  });
});

describe('requests as the services receive them', () => {
  test('the client IP address is that of the connection, whatever its headers say', async () => {
    await sendRequest(port, '/api/v1/products', {
      from: '127.0.0.77',
      headers: {
        host: 'shop.example:8000',
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'evil.example',
        'x-real-ip': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        proxy: 'http://6.6.6.6',
        authorization: 'Bearer t',
        cookie: 'access_token=t',
      },
    });
    expect(seenBy('product')?.peer).toBe('127.0.0.2');
    expect(seenBy('product')?.headers).toEqual({
      host: 'shop.example:8000',
      'x-forwarded-for': '127.0.0.77',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example:8000',
      'x-real-ip': '127.0.0.77',
      'x-request-id': expect.any(String),
      authorization: 'Bearer t',
      cookie: 'access_token=t',
    });
  });

  test('HTTP/1.0 without Host still reaches the services', async () => {
    expect(await sendRaw(port, 'GET /api/v1/products HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});
