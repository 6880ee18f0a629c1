import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpStatus } from '@shop/test-servers';
import { type ExampleProcess, eventually, figure, scrape, startExampleProcess } from '@shop/testing';

/** Sends raw bytes. @returns everything received until the service closes the connection */
async function sendRaw(service: ExampleProcess, ...parts: string[]): Promise<string> {
  const socket = connect(service.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.setTimeout(60_000, () => socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const part of parts) {
    socket.write(part);
    await sleep(50);
  }
  await closed;
  return Buffer.concat(chunks).toString();
}

function parseResponse(response: string) {
  const [head = '', body = ''] = response.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { statusLine, headers, body, problem: JSON.parse(body || 'null') };
}

describe('requests that Node’s parser rejects', () => {
  let service: ExampleProcess;
  beforeAll(async () => {
    service = await startExampleProcess();
    await eventually('/ready to be 200', async () => (await httpStatus(`${service.url}/ready`, 120_000)) === 200);
  });
  afterAll(() => service.kill());

  const counted = async (labels: Record<string, string>) =>
    figure(await scrape(service.url), 'http_requests_total', { endpoint: 'unmatched', ...labels }) ?? 0;
  const logged = (id: string) => service.lines().filter(({ request_id }) => request_id === id);

  const host = 'Host: x\r\n';
  const chunked = `${host}Transfer-Encoding: chunked\r\n`;
  const secret = 'sEcReT';
  it.each([
    ['an unknown method', `FOO / HTTP/1.1\r\n${host}`, '\r\n', 400, 'malformed_request', 'OTHER'],
    ['a strange version', `GET /${secret} HTTP/9.9\r\n${host}`, '\r\n', 400, 'malformed_request', 'OTHER'],
    ['no HTTP', `${secret} here\r\n`, '\r\n', 400, 'malformed_request', 'OTHER'],
    [
      'a length and chunks',
      `POST / HTTP/1.1\r\n${chunked}`,
      `Content-Length: 5\r\n\r\n`,
      400,
      'malformed_request',
      'OTHER',
    ],
    [
      '50 KB of headers',
      `GET / HTTP/1.1\r\n${host}`,
      `X-Long: ${secret}${'x'.repeat(50_000)}\r\n\r\n`,
      431,
      'headers_too_large',
      'OTHER',
    ],
    [
      '20 KB of chunk extensions',
      `POST / HTTP/1.1\r\n${chunked}`,
      `\r\n5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
      413,
      'payload_too_large',
      'POST',
    ],
    ['a broken chunk', `POST /users HTTP/1.1\r\n${chunked}`, '\r\nzz\r\n', 400, 'malformed_request', 'POST'],
    ['CONNECT', `CONNECT x:443 HTTP/1.1\r\n${host}`, '\r\n', 405, 'method_not_allowed', 'OTHER'],
    ['no Host', 'GET /users HTTP/1.1\r\n', '\r\n', 400, 'malformed_request', 'GET'],
    [
      'an unknown expectation',
      `GET /users HTTP/1.1\r\n${host}Expect: 200-ok\r\n`,
      '\r\n',
      417,
      'expectation_failed',
      'GET',
    ],
  ])(
    '%s: a problem response, a log line and metrics like any other error',
    async (_, head, tail, status, code, method) => {
      const title = STATUS_CODES[status];
      const where = head.includes('chunked') && method === 'POST' ? 'body' : 'header';
      const before = await counted({ method, status: String(status) });
      const id = `refused-${randomUUID()}`;
      const { statusLine, headers, body, problem } = parseResponse(
        await sendRaw(service, `${head}X-Request-Id: ${id}\r\n${tail}`),
      );
      expect(statusLine).toBe(`HTTP/1.1 ${status} ${title}`);
      expect(headers).toMatchObject({
        'content-type': expect.stringMatching(/^application\/problem\+json(;|$)/),
        'content-length': String(Buffer.byteLength(body)),
        connection: 'close',
        date: expect.any(String),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-request-id': id,
      });
      expect(problem).toEqual({
        type: `/docs/errors/${code}`,
        title,
        status,
        detail: expect.any(String),
        code,
        request_id: id,
        ...(status === 400
          ? { errors: [{ in: where, path: expect.any(String), code: expect.any(String), message: problem.detail }] }
          : {}),
      });
      await eventually('the log line', () => logged(id).length > 0);
      expect(logged(id)).toEqual([
        expect.objectContaining({ level: 'info', msg: 'request', method, status, route: expect.any(String) }),
      ]);
      expect(service.output()).not.toContain(secret);
      expect(await counted({ method, status: String(status) })).toBe(before + 1);
    },
  );

  it('get the same security headers as any other response', async () => {
    const { headers } = parseResponse(await sendRaw(service, `FOO / HTTP/1.1\r\n${host}\r\n`));
    const ordinary = await fetch(`${service.url}/nothing`);
    const names = [...ordinary.headers.keys()].filter((name) =>
      /^(content-security|cross-|origin-|referrer|x-)/.test(name),
    );
    expect(names).toContain('referrer-policy');
    for (const name of names.filter((other) => other !== 'x-request-id'))
      expect([name, headers[name]]).toEqual([name, ordinary.headers.get(name)]);
  });

  it.each(['', 'two words', 'x'.repeat(129), 'n\u00e4h'])('with the invalid request id %j get a new id', async (id) => {
    const { headers, problem } = parseResponse(
      await sendRaw(service, `FOO / HTTP/1.1\r\n${host}X-Request-Id: ${id}\r\n\r\n`),
    );
    expect(headers['x-request-id']).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(problem.request_id).toBe(headers['x-request-id']);
  });

  it('after another request on the same connection get their response after that one’s', async () => {
    const responses = await sendRaw(service, `GET /users HTTP/1.1\r\n${host}\r\nFOO / HTTP/1.1\r\n${host}\r\n`);
    expect(responses.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 204', 'HTTP/1.1 400']);
    expect(responses).toMatch(/"code":"malformed_request","request_id":"[^"]+",.*}$/);
  });

  it('get one response however much data follows, and the connection is closed', async () => {
    const junk = 'x'.repeat(50_000);
    const responses = await sendRaw(service, `FOO / HTTP/1.1\r\n${host}\r\n`, junk, junk);
    expect(responses.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it('that are never completed get a 408', async () => {
    const { statusLine, headers, problem } = parseResponse(await sendRaw(service, `GET / HTTP/1.1\r\n${host}`));
    expect(statusLine).toBe('HTTP/1.1 408 Request Timeout');
    expect(headers).toMatchObject({ connection: 'close', 'x-request-id': problem.request_id });
    expect(problem).toMatchObject({ status: 408, code: 'request_timeout', title: 'Request Timeout' });
    expect(await counted({ method: 'OTHER', status: '408' })).toBe(1);
  });

  it('whose client disconnects get no response and are not counted', async () => {
    const before = await counted({ method: 'OTHER', status: '400' });
    const socket = connect(service.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`GET / HTTP/1.1\r\n${host}`);
    await sleep(50);
    socket.resetAndDestroy();
    await sleep(100);
    expect(await counted({ method: 'OTHER', status: '400' })).toBe(before);
    expect(await httpStatus(`${service.url}/health`, 120_000)).toBe(200);
  });

  it('do not include 100-continue and HTTP/1.0 without Host', async () => {
    expect(
      await sendRaw(service, `GET /users HTTP/1.1\r\n${host}Expect: 100-Continue\r\nConnection: close\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 204 /);
    expect(await sendRaw(service, 'GET /users HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 204 /);
  });
});
