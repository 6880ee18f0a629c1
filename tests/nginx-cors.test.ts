import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { repoRoot } from '@shop/test-servers';
import { exampleService, startApp } from '@shop/testing';
import {
  freePort,
  type Gateway,
  type HttpResponse,
  type RequestOptions,
  sendRaw,
  sendRequest,
  startEcho,
  startGateway,
} from './support/nginx-gateway';

/** Nginx's own responses allow the same origins as the services' responses. */

const LIST = 'https://shop.example, http://localhost:3000';
const settings: [appEnv: string, corsOrigins: string][] = [
  ['local', '*'],
  ['local', ' *, '],
  ['local', ''],
  ['testnet', ''],
  ['testnet', ' '],
  ['testnet', '*'],
  ['local', LIST],
  ['testnet', `https://a.example ,${LIST},`],
];
const origins = [
  undefined,
  'https://shop.example',
  'http://localhost:3000',
  'http://localhost:30000',
  'https://shop.example.evil.example',
  'https://shopxexample',
  'http://shop.example',
  'https://Shop.example',
  LIST,
  'https://x|https://x,',
  'local||',
  '*',
  'null',
];

const toStop: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(toStop.splice(0).map((stop) => stop())));

async function gatewayWith(...[upstreams, options]: Parameters<typeof startGateway>): Promise<Gateway> {
  const gateway = await startGateway(upstreams, options);
  toStop.push(gateway.stop);
  return gateway;
}

const from = (origin: string | undefined): Record<string, string> => (origin === undefined ? {} : { origin });
const preflight = (origin: string | undefined): RequestOptions => ({
  method: 'OPTIONS',
  headers: {
    ...from(origin),
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization,x-request-id',
  },
});

function corsOf({ headers, names }: HttpResponse) {
  const own = names.filter((name) => name.startsWith('access-control-'));
  expect(own).toEqual([...new Set(own)]);
  const vary = (headers.vary ?? '').split(', ').filter((name) => name !== '' && name !== 'Accept-Encoding');
  return { ...Object.fromEntries(own.map((name) => [name, headers[name]])), vary: vary.sort() };
}

test.each(settings)('APP_ENV=%s CORS_ORIGINS="%s": as the services do', async (appEnv, corsOrigins) => {
  const service = await startApp(
    exampleService(() => []),
    {
      APP_ENV: appEnv,
      CORS_ORIGINS: corsOrigins,
    },
  );
  toStop.push(service.close);
  const servicePort = Number(new URL(service.url).port);
  const gateway = await gatewayWith({}, { appEnv, corsOrigins });
  for (const origin of origins) {
    const options: RequestOptions = { headers: from(origin) };
    const fromService = corsOf(await sendRequest(servicePort, '/nothing', options));
    expect(fromService).toHaveProperty('access-control-expose-headers');
    for (const [path, status] of [
      ['/nothing', 404],
      ['/api/v1/products', 503],
      ['/openapi.json', 200],
    ] as const) {
      const response = await sendRequest(gateway.port, path, options);
      expect([origin, path, response.status, corsOf(response)]).toEqual([origin, path, status, fromService]);
    }
    const letIn = await sendRequest(servicePort, '/nothing', preflight(origin));
    for (const path of ['/nothing', '/api/v1/products', '/openapi.json']) {
      const response = await sendRequest(gateway.port, path, preflight(origin));
      expect([origin, path, response.status, response.text, corsOf(response)]).toEqual([
        origin,
        path,
        204,
        '',
        corsOf(letIn),
      ]);
      expect(response.headers).not.toHaveProperty('content-type');
    }
  }
});

test('a rate-limited browser request gets a readable 429, not a network error', async () => {
  const echo = await startEcho('product');
  toStop.push(echo.close);
  const origin = 'https://shop.example';
  const limits = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '3' };
  const gateway = await gatewayWith({ product: [echo.address] }, { limits, appEnv: 'production', corsOrigins: origin });
  const many = (options: RequestOptions) =>
    Promise.all(Array.from({ length: 30 }, () => sendRequest(gateway.port, '/api/v1/products', options)));
  const refused = (await many({ headers: { origin } })).filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, headers } of refused) {
    expect([status, headers['access-control-allow-origin'], headers['access-control-allow-credentials']]).toEqual([
      429,
      origin,
      'true',
    ]);
    expect(headers['access-control-expose-headers']?.split(',')).toEqual(
      expect.arrayContaining(['RateLimit', 'Retry-After', 'X-Request-Id']),
    );
    expect(headers['retry-after']).toBe('1');
  }
  // Preflights have their own token bucket, ten times as large, so a page does not empty it.
  const preflights = await many({ ...preflight(origin), from: '127.0.0.60' });
  expect(new Set(preflights.map(({ status }) => status))).toEqual(new Set([200]));
  const plain = await many({ method: 'OPTIONS', headers: { origin } });
  expect(plain.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
});

test('a refused body and a request that is not HTTP, too', async () => {
  const gateway = await gatewayWith({ file: [`127.0.0.1:${await freePort()}`] }, { corsOrigins: '*' });
  const refused = await sendRequest(gateway.port, '/api/v1/files/upload', {
    method: 'POST',
    body: Buffer.alloc(6_000_000),
  });
  expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([413, '*']);
  const raw = await sendRaw(gateway.port, 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(raw).toMatch(/^HTTP\/1\.1 400 .*\r\nAccess-Control-Allow-Origin: \*\r\n/s);
});

test("a service's response passes with the service's own CORS headers", async () => {
  const echo = await startEcho('product');
  toStop.push(echo.close);
  const gateway = await gatewayWith(
    { product: [echo.address] },
    { appEnv: 'production', corsOrigins: 'https://shop.example' },
  );
  for (const path of ['/api/v1/products', '/api/v1/products/refused']) {
    const response = await sendRequest(gateway.port, path, { headers: { origin: 'https://shop.example' } });
    const fromService = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'X-Echo', vary: [] };
    expect(corsOf(response)).toEqual(fromService);
  }
});

/** In containers nginx gets the whole env file, and the image replaces every $NAME and ${NAME} that is set. */
test('the templates contain no other variable of the env files by accident', async () => {
  const folders = ['templates', 'containers', 'tls'].map((folder) => join(repoRoot, 'nginx', folder));
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8'))),
  );
  const text = (await Promise.all(files.flat())).join('\n');
  const named = new Set([...text.matchAll(/\$\{?([A-Z_a-z][A-Z_a-z0-9]*)/g)].map(([, name]) => name));
  for (const environment of ['local', 'testnet', 'production']) {
    const given = Object.keys(parseEnv(await readFile(join(repoRoot, `.env.${environment}`), 'utf8')));
    expect(given.filter((name) => named.has(name)).sort()).toEqual(['APP_ENV', 'CORS_ORIGINS']);
    expect(given.filter((name) => name.startsWith('NGINX'))).toEqual([]);
  }
});
