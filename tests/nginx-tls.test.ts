import { execFile } from 'node:child_process';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { blackboxExporter } from '@shop/test-servers';
import {
  type Echo,
  fillTemplates,
  freePort,
  type Gateway,
  type HttpResponse,
  sendRequest,
  startEcho,
  startNginx,
  temporaryFolder,
} from './support/nginx-gateway';

/** The gateway as in docker-compose.tls.yml: https plus an http port that accepts no tokens. */

let echo: Echo;
let gateway: Gateway;
let http: number;
let https: number;

beforeAll(async () => {
  const runDir = await temporaryFolder();
  [echo, http, https] = await Promise.all([startEcho('any'), freePort(), freePort()]);
  const [key, certificate] = [join(runDir, 'key.pem'), join(runDir, 'certificate.pem')];
  const options = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=shop.test',
  ];
  await promisify(execFile)('openssl', ['req', ...options, '-keyout', key, '-out', certificate]);
  const upstreams = ['AUTH', 'PRODUCT', 'TRANSACTION', 'ADDRESS', 'STORE', 'FILE'].map((name) => [
    `${name}_UPSTREAM`,
    echo.address,
  ]);
  const config = await fillTemplates(runDir, ['templates/default.conf.template', 'tls/tls.conf.template'], {
    ...Object.fromEntries(upstreams),
    NGINX_LISTEN: `listen 127.0.0.1:${http}; listen 127.0.0.1:${https} ssl;`,
    NGINX_HTTPS_ONLY: '1',
    NGINX_TLS_CERTIFICATE: certificate,
    NGINX_TLS_KEY: key,
    NGINX_RESOLVER: '127.0.0.1',
    NGINX_PROXY_BIND: '',
    NGINX_HTML: join(__dirname, '../nginx/html'),
    NGINX_CACHE: join(runDir, 'cache'),
    NGINX_ACCESS_LOG: join(runDir, 'access.log'),
    APP_ENV: 'production',
    CORS_ORIGINS: 'https://shop.example',
    RATE_LIMIT_BURST: '1000',
  });
  gateway = await startNginx(config, runDir, https);
});
afterAll(() => Promise.all([gateway?.stop(), echo?.close()]));

const HEADERS = { authorization: 'Bearer a.b.c', origin: 'https://shop.example', 'x-request-id': 'insecure-1' };

function expectRefused({ status, headers, json }: HttpResponse): void {
  expect([status, json.code, json.status]).toEqual([403, 'https_required', 403]);
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-request-id': 'insecure-1',
    'access-control-allow-origin': 'https://shop.example',
  });
  expect(headers).not.toHaveProperty('location');
  expect(headers).not.toHaveProperty('strict-transport-security');
}

test.each([
  ['GET', '/api/v1/auth/me'],
  ['GET', '/api/v1/catalog/products?page=1'],
  ['POST', '/api/v1/auth/login'],
  ['DELETE', '/api/v1/stores/1'],
  ['GET', '/uploads/a.png'],
  ['GET', '/health'],
  ['GET', '/openapi.json'],
  ['GET', '/nothing'],
  ['POST', '/docs'],
  ['POST', '/'],
  ['GET', '/docsX'],
])('%s %s over http is refused and does not reach a service', async (method, path) => {
  const seen = echo.seen.length;
  expectRefused(
    await sendRequest(http, path, { method, headers: HEADERS, ...(method === 'POST' ? { body: '{}' } : {}) }),
  );
  expect(echo.seen).toHaveLength(seen);
});

test.each(['/', '/?a=1', '/docs', '/docs?a=b', '/docs/swagger-ui.css'])(
  'GET and HEAD of %s redirect to https',
  async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await sendRequest(http, path, { method, headers: { host: 'shop.example' } });
      expect([status, headers.location]).toEqual([308, `https://shop.example${path}`]);
    }
  },
);

test('an upload over http is refused too', async () => {
  const body = Buffer.alloc(3_000_000);
  expectRefused(await sendRequest(http, '/api/v1/files/upload', { method: 'POST', body, headers: HEADERS }));
});

test('plain http on the https port is refused too', async () => {
  expectRefused(await sendRequest(https, '/api/v1/auth/me', { headers: HEADERS }));
});

test('a preflight over http passes, so that the page can read why its request is refused', async () => {
  const headers = { ...HEADERS, 'access-control-request-method': 'PUT' };
  expect((await sendRequest(http, '/api/v1/stores/1', { method: 'OPTIONS', headers })).status).toBe(204);
});

test('https works', async () => {
  const status = await new Promise<[number | undefined, unknown]>((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: https, path: '/api/v1/stores', rejectUnauthorized: false, agent: false },
      (res) => {
        res.resume();
        resolve([res.statusCode, res.headers['strict-transport-security']]);
      },
    );
    sent.once('error', reject).end();
  });
  expect(status).toEqual([200, 'max-age=63072000; includeSubDomains']);
});

test('blackbox-exporter reads when the certificate expires, for the alert CertificateExpiresSoon', async () => {
  const dir = await temporaryFolder();
  const exporter = blackboxExporter({ port: await freePort(), dir, logFile: join(dir, 'blackbox-exporter.log') });
  await exporter.start();
  try {
    // As in monitoring/prometheus.yml.
    const query = new URLSearchParams({ module: 'certificate', target: `https://127.0.0.1:${https}/health` });
    const response = await fetch(`http://127.0.0.1:${exporter.port}/probe?${query}`);
    const [, expiry] = /^probe_ssl_earliest_cert_expiry (\S+)$/m.exec(await response.text()) ?? [];
    // `openssl req -x509` makes a certificate for 30 days.
    const days = (Number(expiry) - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  } finally {
    await exporter.stop();
  }
});
