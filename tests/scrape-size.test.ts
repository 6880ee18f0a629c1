import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import http from 'node:http';
import { productService } from '@shop/product';
import { figure, labelValues, samplesOf, startApp, type TestApp } from '@shop/testing';

/** `npm run bench -- scrape` sends 50,000. */
const REQUESTS = 12_000;
const CLIENTS = 32;
const LARGEST_BYTES = 300_000;
/** The methods that Node's parser accepts. CONNECT has its own protocol. */
const methods = http.METHODS.filter((method) => method !== 'CONNECT');
const oneOf = <T>(list: readonly T[]): T => list[randomInt(list.length)] as T;

const paths: (() => string)[] = [
  () => `/${randomUUID()}`,
  () => `/${randomBytes(randomInt(1, 200)).toString('hex')}?${randomUUID()}=${randomUUID()}`,
  () =>
    `/%${randomBytes(8)
      .toString('hex')
      .replaceAll(/../g, (byte) => `%${byte}`)}`,
  () => `/api/v1/products/${randomInt(1e9)}`,
  () => `/api/v1/products/${randomUUID()}/${randomUUID()}`,
  () => `/api/v1/products?search=${randomUUID()}`,
  () => `/api/v1/catalog/products/${randomInt(1e9)}`,
  () => `/API/V1/${randomUUID()}`,
  () => `/docs/${randomUUID()}`,
  () => `/metrics/${randomUUID()}`,
  () => oneOf(['/health', '/ready', '/metrics', '/docs', '/openapi.json']),
];

function oneRequest(url: string, agent: http.Agent): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = http.request(
      {
        agent,
        hostname,
        port,
        method: oneOf(methods),
        path: oneOf(paths)(),
        headers: { host: `${randomUUID()}.example`, 'x-forwarded-host': randomUUID(), 'user-agent': randomUUID() },
      },
      (response) => response.resume().once('close', resolve),
    );
    sent.once('error', reject);
    sent.end();
  });
}

/** Sends the requests over a few keep-alive connections. */
async function flood({ url }: TestApp, requests: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  let left = requests;
  const client = async () => {
    while (left-- > 0) await oneRequest(url, agent);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
}

const scraped = async ({ url }: TestApp) => (await fetch(`${url}/metrics`)).text();

test(`${REQUESTS} requests to random paths, methods and hosts: the scrape stays small`, async () => {
  const app = await startApp(productService);
  await flood(app, REQUESTS / 2);
  const early = samplesOf(await scraped(app));
  await flood(app, REQUESTS / 2);
  const text = await scraped(app);
  const samples = samplesOf(text);

  expect(figure(samples, 'http_requests_total')).toBeGreaterThanOrEqual(REQUESTS);
  expect(figure(samples, 'http_requests_total', { endpoint: 'unmatched', status: '404' })).toBeGreaterThan(1000);
  expect(text.length).toBeLessThan(LARGEST_BYTES);
  // The same number of requests again adds almost no series.
  expect(samples.length).toBeLessThan(early.length * 1.1);

  const declared = app.endpoints.map(({ path }) => path);
  const known = new Set([...declared, '/health', '/ready', '/metrics', '/docs', '/openapi.json', 'unmatched']);
  expect(labelValues(samples, 'http_requests_total', 'endpoint').filter((one) => !known.has(one))).toEqual([]);
  const usual = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'OTHER', 'PATCH', 'POST', 'PUT'];
  expect(labelValues(samples, 'http_requests_total', 'method')).toEqual(usual);
  await app.close();
});

test('rate-limited requests are counted too, under a single label', async () => {
  const app = await startApp(productService, { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '10' });
  await flood(app, 2000);
  const samples = samplesOf(await scraped(app));
  expect(figure(samples, 'http_requests_total')).toBeGreaterThanOrEqual(2000);
  expect(figure(samples, 'http_requests_total', { endpoint: 'unmatched', status: '429' })).toBeGreaterThan(1000);
  await app.close();
});
