import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { endpoint } from '@shop/core/http';
import { eventually, exampleService, exampleTag, startApp } from '@shop/testing';
import { type Echo, type Gateway, sendRequest, startEcho, startGateway } from './support/nginx-gateway';

const toStop: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

const started = <T extends { close(): Promise<unknown> }>(server: T): T => {
  toStop.push(server.close);
  return server;
};
const gatewayOver = async (...over: Parameters<typeof startGateway>): Promise<Gateway> => {
  const gateway = await startGateway(...over);
  toStop.push(gateway.stop);
  return gateway;
};

/** One token per second barely refills a bucket during a test. */
const SLOW = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '8' };
const POLICY = '8;w=8';
const TENFOLD_POLICY = '80;w=8';

let address = 70;
/** A loopback address that no other test has used. */
const aClient = () => `127.0.0.${address++}`;

describe('rate limits', () => {
  let echo: Echo;
  beforeAll(async () => {
    echo = await startEcho('any');
  });
  afterAll(() => echo.close());

  type ClientRequest = { path?: string; method?: string; headers?: Record<string, string>; from: string };
  /** Sends requests until one is refused. Returns how many were accepted, and the refusal. */
  async function untilRefused(port: number, { path = '/api/v1/products', ...options }: ClientRequest) {
    const start = Date.now();
    for (let passed = 0; passed < 200; passed += 1) {
      const response = await sendRequest(port, path, options);
      if (response.status === 429) return { passed, response, seconds: (Date.now() - start) / 1000 };
    }
    throw new Error('never refused');
  }

  const PREFLIGHT = { origin: 'https://shop.example', 'access-control-request-method': 'PUT' };

  test('are exactly those of the services', async () => {
    const limited = exampleService(() => [
      endpoint({
        method: 'get',
        path: '/uploads/:name',
        tag: exampleTag,
        summary: 'A file',
        access: 'public',
        bucket: 'uploads',
        responses: { 204: 'empty' },
        handler: async () => undefined,
      }),
    ]);
    const service = started(await startApp(limited, SLOW));
    const upstream = { file: [echo.address], product: [echo.address] };
    const gateway = await gatewayOver(upstream, { limits: SLOW });
    for (const options of [{}, { path: '/uploads/a.png' }, { method: 'OPTIONS', headers: PREFLIGHT }]) {
      const from = aClient();
      const fromService = await untilRefused(Number(new URL(service.url).port), { ...options, from });
      const fromGateway = await untilRefused(gateway.port, { ...options, from });
      for (const name of ['ratelimit', 'ratelimit-policy', 'retry-after', 'cache-control', 'referrer-policy'])
        expect([name, fromGateway.response.headers[name]]).toEqual([name, fromService.response.headers[name]]);
      expect({ ...fromGateway.response.json, request_id: '' }).toEqual({
        ...fromService.response.json,
        request_id: '',
      });
      const [, size, seconds] = /^(\d+);w=(\d+)$/.exec(String(fromGateway.response.headers['ratelimit-policy'])) ?? [];
      expect(fromGateway.passed).toBeGreaterThanOrEqual(Number(size));
      // Tokens are refilled meanwhile. 50 ms: nginx updates its cached time only now and then.
      const returned = Math.floor((fromGateway.seconds + 0.05) * (Number(size) / Number(seconds)));
      expect(fromGateway.passed).toBeLessThanOrEqual(Number(size) + returned);
    }
  });

  test('with a burst of 1 let one request through at a time', async () => {
    const gateway = await gatewayOver({ product: [echo.address] }, { limits: { ...SLOW, RATE_LIMIT_BURST: '1' } });
    const from = aClient();
    const start = Date.now();
    const responses = await Promise.all(
      Array.from({ length: 9 }, () => sendRequest(gateway.port, '/api/v1/products', { from })),
    );
    const passed = responses.filter(({ status }) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(1);
    expect(passed).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - start) / 1000));
  });

  test('are separate for each service', async () => {
    const gateway = await gatewayOver({ product: [echo.address], store: [echo.address] }, { limits: SLOW });
    const from = aClient();
    await untilRefused(gateway.port, { from });
    expect((await sendRequest(gateway.port, '/api/v1/stores', { from })).status).toBe(200);
    const { response } = await untilRefused(gateway.port, { path: '/openapi.json', from });
    expect(response.headers['ratelimit-policy']).toBe(POLICY);
    expect((await sendRequest(gateway.port, '/api/v1/stores', { from })).status).toBe(200);
  });

  test('for images and preflights are ten times as large and do not affect the others', async () => {
    const gateway = await gatewayOver({ file: [echo.address], product: [echo.address] }, { limits: SLOW });
    for (const options of [
      { path: '/uploads/a.png' },
      { path: '/uploads/a.png', method: 'HEAD' },
      { path: '/api/v1/files', method: 'OPTIONS', headers: PREFLIGHT },
    ]) {
      const from = aClient();
      const { passed, response } = await untilRefused(gateway.port, { ...options, from });
      expect(passed).toBeGreaterThanOrEqual(80);
      expect(response.headers['ratelimit-policy']).toBe(TENFOLD_POLICY);
      expect((await sendRequest(gateway.port, '/api/v1/files', { from })).status).toBe(200);
    }
    const posted = await untilRefused(gateway.port, { path: '/uploads/a.png', method: 'POST', from: aClient() });
    expect(posted.response.headers['ratelimit-policy']).toBe(POLICY);
  });

  test('for images have their own settings', async () => {
    const limits = { ...SLOW, RATE_LIMIT_UPLOADS_PER_SECOND: '2', RATE_LIMIT_UPLOADS_BURST: '3' };
    const gateway = await gatewayOver({ file: [echo.address] }, { limits });
    const { response } = await untilRefused(gateway.port, { path: '/uploads/a.png', from: aClient() });
    expect(response.headers).toMatchObject({ 'ratelimit-policy': '3;w=2', ratelimit: 'limit=3, remaining=0, reset=1' });
  });

  test.each(['0', '-1', '1.5', 'ten', '08'])('of %s are refused with the name of the setting', async (value) => {
    await expect(startGateway({}, { limits: { RATE_LIMIT_BURST: value } })).rejects.toThrow(/RATE_LIMIT_BURST/);
  });
});

describe('bodies', () => {
  /** Starts an upload without finishing it. */
  async function startUpload(port: number, head: string[], from = '127.0.0.1'): Promise<Socket & { received: string }> {
    const socket = Object.assign(connect({ port, host: '127.0.0.1', localAddress: from }), { received: '' });
    socket.on('data', (chunk) => {
      socket.received += chunk.toString();
    });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(`${['POST /api/v1/files/upload HTTP/1.1', 'Host: x', ...head].join('\r\n')}\r\n\r\n`);
    toStop.push(async () => socket.destroy());
    return socket;
  }
  const temporaryFiles = ({ runDir }: Gateway) => readdir(join(runDir, 'temp/client_body'), { recursive: true });

  /** A service with a request timeout of half a second (the real ones: 30 seconds). */
  async function startImpatient() {
    const seen = { requests: 0 };
    const server = createServer({ requestTimeout: 500, connectionsCheckingInterval: 50 }, (req) => {
      seen.requests += 1;
      req.on('error', () => undefined).resume();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    toStop.push(async () => {
      server.close();
      server.closeAllConnections();
    });
    return { seen, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test.each([
    ['of known length', ['Content-Length: 5600000'], 'x'.repeat(200_000)],
    ['of unknown length', ['Transfer-Encoding: chunked'], `30d40\r\n${'x'.repeat(0x30d40)}\r\n`],
  ])('%s are streamed to the service: its timeout applies, and nothing is written to disk', async (_, head, start) => {
    const service = await startImpatient();
    const gateway = await gatewayOver({ file: [service.address] });
    const uploads = await Promise.all(Array.from({ length: 20 }, () => startUpload(gateway.port, head)));
    const ended = uploads.map((upload) => once(upload, 'close'));
    for (const upload of uploads) upload.write(start);
    await eventually('the service to see all of them', () => service.seen.requests === uploads.length);
    expect(await temporaryFiles(gateway)).toEqual([]);
    await Promise.all(ended);
    for (const { received } of uploads) expect(received).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('that are small are buffered first, so that a slow client does not occupy a service', async () => {
    const echo = started(await startEcho('file'));
    const gateway = await gatewayOver({ file: [echo.address] });
    const upload = await startUpload(gateway.port, ['Content-Length: 9999', 'Connection: close']);
    upload.write('x'.repeat(9000));
    await sendRequest(gateway.port, '/api/v1/files');
    expect(echo.seen).toHaveLength(1);
    upload.write('x'.repeat(999));
    await once(upload, 'close');
    expect(upload.received).toContain('"bytes":9999');
  });

  test('kept open by one client are limited in number', async () => {
    const service = await startImpatient();
    const echo = started(await startEcho('product'));
    const limits = { RATE_LIMIT_PER_SECOND: '1000', RATE_LIMIT_BURST: '1000', CONNECTIONS_PER_CLIENT: '4' };
    const gateway = await gatewayOver({ file: [service.address], product: [echo.address] }, { limits });
    const from = aClient();
    for (let index = 0; index < 4; index += 1) await startUpload(gateway.port, ['Content-Length: 5000000'], from);
    await eventually('the service to see them', () => service.seen.requests === 4);
    const refused = await sendRequest(gateway.port, '/api/v1/products', { from });
    expect([refused.status, refused.json.code, refused.headers['retry-after']]).toEqual([
      429,
      'too_many_connections',
      '1',
    ]);
    expect(refused.headers).not.toHaveProperty('ratelimit');
    expect((await sendRequest(gateway.port, '/api/v1/products', { from: aClient() })).status).toBe(200);
    await eventually(
      'room again',
      async () => (await sendRequest(gateway.port, '/api/v1/products', { from })).status === 200,
    );
  });
});
