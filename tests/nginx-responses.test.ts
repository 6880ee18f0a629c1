import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { httpStatus, type NginxOptions, renderNginxConfig, serviceNames } from '@shop/test-servers';
import { type ExampleProcess, eventually, startExampleProcess } from '@shop/testing';
import {
  type Echo,
  freePort,
  type Gateway,
  sendRaw,
  sendRequest,
  startEcho,
  startGateway,
  startNginx,
  temporaryFolder,
} from './support/nginx-gateway';

const PROBLEM = 'application/problem+json';
const STRICT_CSP = "default-src 'none'; frame-ancestors 'none'";
let product: Echo;
let gateway: Gateway;
let port: number;

beforeAll(async () => {
  product = await startEcho('product');
  gateway = await startGateway({ product: [product.address], file: [product.address] });
  port = gateway.port;
});

afterAll(async () => {
  await gateway?.stop();
  await product?.close();
});

describe('headers', () => {
  test.each([
    ['/api/v1/products', 200, "default-src 'self'"],
    ['/api/v1/products/refused', 503, "default-src 'self'"],
    ['/openapi.json', 200, STRICT_CSP],
    ['/nothing', 404, STRICT_CSP],
    ['/api/v1/stores', 503, STRICT_CSP],
    ['/%zz', 400, STRICT_CSP],
  ])('%s has each security header once', async (path, status, csp) => {
    const response = await sendRequest(port, path);
    expect(response.status).toBe(status);
    expect(response.headers).toMatchObject({
      'content-security-policy': csp,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      server: 'nginx',
    });
    expect(response.names).toEqual([...new Set(response.names)]);
  });

  test("a service's own error passes unchanged", async () => {
    const { headers, json } = await sendRequest(port, '/api/v1/products/refused');
    expect(json).toEqual({ code: 'database_unavailable' });
    expect([headers['retry-after'], headers['cross-origin-resource-policy']]).toEqual(['7', 'same-origin']);
  });

  test('the longest Link header of a list passes', async () => {
    const { status, headers } = await sendRequest(port, '/api/v1/products/links');
    expect([status, headers.link?.length]).toEqual([200, 12_000]);
  });

  test.each(['/api/v1/products/big', '/openapi.json'])(
    '%s keeps its strong ETag, also for clients that accept compressed responses',
    async (path) => {
      const accepting = { 'accept-encoding': 'br, gzip' };
      const { headers } = await sendRequest(port, path, { headers: accepting });
      expect(headers.etag).toMatch(/^"[^"]+"$/);
    },
  );

  test('/openapi.json is sent compressed to clients that accept it', async () => {
    const plain = await sendRequest(port, '/openapi.json');
    const compressed = await sendRequest(port, '/openapi.json', { headers: { 'accept-encoding': 'gzip' } });
    expect([plain.headers['content-encoding'], compressed.headers['content-encoding']]).toEqual([undefined, 'gzip']);
    for (const { headers } of [plain, compressed])
      expect(headers).toMatchObject({ 'content-type': 'application/json', vary: 'Accept-Encoding' });
    expect(Number(compressed.headers['content-length'])).toBeLessThan(Number(plain.headers['content-length']) / 8);
    // A strong tag stands for exact bytes.
    expect(compressed.headers.etag).not.toBe(plain.headers.etag);
  });

  test('/openapi.json is revalidated by its ETag', async () => {
    const { headers } = await sendRequest(port, '/openapi.json');
    const revalidation = { 'if-none-match': `"other", W/${headers.etag}` };
    const unchanged = await sendRequest(port, '/openapi.json', { headers: revalidation });
    expect([unchanged.status, unchanged.headers.etag, unchanged.text]).toEqual([304, headers.etag, '']);
    expect(unchanged.headers['cache-control']).toBe('no-cache');
  });

  test('a service decides on compression', async () => {
    const headers = { 'accept-encoding': 'br, gzip' };
    await sendRequest(port, '/api/v1/products/big', { headers });
    expect(product.seen.at(-1)?.headers).toMatchObject(headers);
  });
});

describe('nginx refuses', () => {
  test('a body over 5.5 MB without passing it to the service; 5 MiB with multipart overhead pass', async () => {
    const seen = product.seen.length;
    const refused = await sendRequest(port, '/api/v1/files/upload', { method: 'POST', body: Buffer.alloc(6_000_000) });
    expect([refused.status, refused.headers['content-type']]).toEqual([413, PROBLEM]);
    expect(refused.json).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(product.seen).toHaveLength(seen);
    const passed = await sendRequest(port, '/api/v1/files/upload', {
      method: 'POST',
      body: Buffer.alloc(5 * 1024 ** 2 + 2000),
    });
    expect(passed.json.bytes).toBe(5 * 1024 ** 2 + 2000);
  });

  test('a chunked body over 5.5 MB', async () => {
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    const head = 'POST /api/v1/products HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
    expect(await sendRaw(port, `${head}${chunk.repeat(6)}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 .*"payload_too_large"/s);
  });

  const host = 'Host: a\r\nConnection: close\r\n';
  test.each([
    ['no Host', 'GET /api/v1/products HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed_request'],
    ['two Hosts', `GET / HTTP/1.1\r\nHost: b\r\n${host}\r\n`, 400, 'malformed_request'],
    ['an invalid Host', 'GET / HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n', 400, 'malformed_request'],
    ['a bad escape', `GET /api/v1/products/%zz HTTP/1.1\r\n${host}\r\n`, 400, 'malformed_request'],
    ['a NUL', `GET /api/v1/products/%00 HTTP/1.1\r\n${host}\r\n`, 400, 'malformed_request'],
    ['a space', `GET /api/v1/products/a b HTTP/1.1\r\n${host}\r\n`, 400, 'malformed_request'],
    ['not HTTP', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['TLS', '\x16\x03\x01\x02\r\n\r\n', 400, 'malformed_request'],
    ['HTTP/3.0', `GET / HTTP/3.0\r\n${host}\r\n`, 400, 'malformed_request'],
    ['an unknown transfer coding', `POST / HTTP/1.1\r\nTransfer-Encoding: x\r\n${host}\r\n`, 400, 'malformed_request'],
    [
      'a strange length',
      `POST /api/v1/products HTTP/1.1\r\nContent-Length: -1\r\n${host}\r\n`,
      400,
      'malformed_request',
    ],
    [
      'two lengths',
      `POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${host}\r\n`,
      400,
      'malformed_request',
    ],
    ['TRACE', `TRACE /api/v1/products HTTP/1.1\r\n${host}\r\n`, 405, 'method_not_allowed'],
    ['a long path', `GET /${'a'.repeat(9500)} HTTP/1.1\r\n${host}\r\n`, 414, 'uri_too_long'],
    ['a long header', `GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(9500)}\r\n\r\n`, 431, 'headers_too_large'],
    [
      'many headers',
      `GET / HTTP/1.1\r\n${host}${`X: ${'a'.repeat(3000)}\r\n`.repeat(14)}\r\n`,
      431,
      'headers_too_large',
    ],
  ])('%s', async (_, bytes, status, code) => {
    const response = await sendRaw(port, bytes);
    const [head = '', body = ''] = response.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain(`Content-Type: ${PROBLEM}`);
    const problem = JSON.parse(body);
    expect(problem).toMatchObject({ type: `/docs/errors/${code}`, status, code, request_id: expect.any(String) });
    const errors =
      status === 400 ? [{ in: 'header', path: '', code: 'invalid_format', message: problem.detail }] : undefined;
    expect(problem.errors).toEqual(errors);
  });
});

describe('headers that the gateway and its services accept', () => {
  let service: ExampleProcess;
  let through: Gateway;
  beforeAll(async () => {
    service = await startExampleProcess();
    through = await startGateway({ product: [`127.0.0.1:${service.port}`] });
    await eventually('the service to listen', async () => (await httpStatus(`${service.url}/health`)) === 200);
  });
  afterAll(() => Promise.all([through?.stop(), service?.kill()]));

  const KB = 1024;
  const lines = (count: number, bytes: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'a'.repeat(bytes - 7)]));
  test.each([
    ['one line of 8 KB', lines(1, 8 * KB)],
    ['two lines of 8 KB', lines(2, 8 * KB)],
    ['16 KB in lines that each need their own buffer', lines(3, 5.4 * KB)],
    ['16 KB in many lines', lines(64, 256)],
    ['as much as the gateway has buffers for', lines(4, 9 * KB - 100)],
  ])('%s', async (_, headers) => {
    // An unknown path is the service's own 404.
    for (const port of [service.port, through.port]) {
      const { status, json } = await sendRequest(port, '/api/v1/products', { headers });
      expect([status, json.code]).toEqual([404, 'not_found']);
    }
    const cookie = Object.values(headers).join('; ');
    if (cookie.length < 9 * KB) {
      for (const port of [service.port, through.port])
        expect((await sendRequest(port, '/api/v1/products', { headers: { cookie } })).status).toBe(404);
    }
  });

  test("larger headers get a 431 on a service's own port too", async () => {
    const { status, headers, json } = await sendRequest(service.port, '/api/v1/products', { headers: lines(50, KB) });
    expect([status, headers['content-type'], json.code]).toEqual([
      431,
      expect.stringContaining(PROBLEM),
      'headers_too_large',
    ]);
  });
});

test("a refusal by a service's HTTP parser passes as the service's problem, with the request id from nginx", async () => {
  const service = await startExampleProcess();
  const through = await startGateway({ product: [`127.0.0.1:${service.port}`] });
  try {
    await eventually('the service to listen', async () => (await httpStatus(`${service.url}/health`)) === 200);
    for (const header of ['', 'X-Request-Id: my-own\r\n']) {
      const bytes = `FOO /api/v1/products HTTP/1.1\r\nHost: a\r\n${header}Connection: close\r\n\r\n`;
      const [head = '', body = ''] = (await sendRaw(through.port, bytes)).split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(head).toContain(`Content-Type: ${PROBLEM}`);
      const { code, request_id: id } = JSON.parse(body);
      expect(code).toBe('malformed_request');
      expect(`${head}\r\n`).toContain(`\r\nX-Request-Id: ${id}\r\n`);
      expect(id).toMatch(header ? /^my-own$/ : /^[0-9a-f]{32}$/);
      expect(service.output()).not.toContain('FOO');
    }
  } finally {
    await Promise.all([through.stop(), service.kill()]);
  }
});

describe('limit per client', () => {
  let limited: Gateway;
  beforeAll(async () => {
    limited = await startGateway(
      { auth: [product.address], product: [product.address] },
      { limits: { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '6' } },
    );
  });
  afterAll(() => limited?.stop());

  test('responds 429 with Retry-After, only to that client and never to probes', async () => {
    const began = performance.now();
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        sendRequest(limited.port, `/api/v1/products/${index}`, { method: 'POST', body: '{}', from: '127.0.0.50' }),
      ),
    );
    const passed = responses.filter(({ status }) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(6);
    const refilled = Math.ceil((performance.now() - began) / 1000);
    expect(passed).toBeLessThanOrEqual(6 + refilled);
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(20 - passed);
    for (const { headers, names, json } of refused) {
      expect(headers).toMatchObject({
        'content-type': PROBLEM,
        'retry-after': '1',
        // The same headers as the services send (draft 7).
        'ratelimit-policy': '6;w=6',
        ratelimit: 'limit=6, remaining=0, reset=1',
        'content-security-policy': STRICT_CSP,
      });
      expect(names).toEqual([...new Set(names)]);
      expect(json).toMatchObject({ status: 429, code: 'rate_limited', request_id: headers['x-request-id'] });
    }
    expect((await sendRequest(limited.port, '/api/v1/products', { from: '127.0.0.51' })).status).toBe(200);
    const probes = await Promise.all(
      Array.from({ length: 20 }, () => sendRequest(limited.port, '/health', { from: '127.0.0.50' })),
    );
    expect(probes.every(({ status }) => status === 200)).toBe(true);
  });

  test('counts by IPv6 network and by IPv4 address', async () => {
    const [runDir, keyPort] = [await temporaryFolder(), await freePort()];
    const address = ['127.0.0.1:1'];
    const upstreams = Object.fromEntries(serviceNames.map((name) => [name, address])) as NginxOptions['upstreams'];
    const options = { runDir, port: await freePort(), listenAddress: '127.0.0.1', upstreams };
    const config = await renderNginxConfig({ ...options, limits: { RATE_LIMIT_PER_SECOND: '1000000000' } });
    expect(await readFile(join(runDir, 'conf.d/default.conf'), 'utf8')).toContain('rate=1000000r/s');
    const show = 'set_real_ip_from 127.0.0.1; real_ip_header X-Client; return 200 $client_network;';
    await appendFile(join(runDir, 'conf.d/key.conf'), `server { listen 127.0.0.1:${keyPort}; ${show} }`);
    const keys = await startNginx(config, runDir, keyPort);
    const keyOf = async (client: string) => (await sendRequest(keyPort, '/', { headers: { 'x-client': client } })).text;
    try {
      expect(await keyOf('203.0.113.9')).toBe('203.0.113.9');
      expect(await keyOf('::ffff:203.0.113.9')).toBe('203.0.113.9');
      expect(await keyOf('::1')).toBe('0:0:0:0');
      for (const [network, hosts] of Object.entries({
        '2001:db8:1:2': ['::', '::1', ':3:4:5:6', ':0:0:5:6', ':3::6'],
        '2001:db8:1:0': ['::', '::1', ':3:4:5:6', ':0:4:5:6', ':3:0:0:6'],
        '2001:db8:0:2': ['::', '::1', ':3:4:5:6', ':3:0:0:6'],
        '2001:db8:0:0': ['::', '::1', ':3:4:5:6', ':3:0:0:0'],
        '2001:0:0:2': ['::', '::1', ':3:4:5:6', ':3:0:0:6', ':0:0:0:6'],
        '2001:0:1:2': ['::', '::1', ':3:4:5:6', ':3:0:5:6'],
        '2001:0:0:0': ['::', '::1', ':3:4:5:6'],
      })) {
        const seen = await Promise.all(hosts.map((host) => keyOf(network + host)));
        expect([network, ...new Set(seen)]).toEqual([network, network]);
      }
    } finally {
      await keys.stop();
    }
  });
});
