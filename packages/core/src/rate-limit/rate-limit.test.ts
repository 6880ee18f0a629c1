import { randomInt } from 'node:crypto';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { endpoint } from '@shop/core/http';
import { createMetrics } from '@shop/core/metrics';
import { exampleService, exampleTag, samplesIn, startApp, type TestApp } from '@shop/testing';
import express, { type ErrorRequestHandler } from 'express';
import request from 'supertest';
import { rateLimitMiddleware } from './rate-limit';
import { processBuckets } from './token-bucket';

const service = exampleService(() => [
  endpoint({
    method: 'get',
    path: '/images/:name',
    tag: exampleTag,
    summary: 'An image',
    access: 'public',
    bucket: 'uploads',
    responses: { 204: 'empty' },
    handler: async () => undefined,
  }),
  endpoint({
    method: 'get',
    path: '/things/:id',
    tag: exampleTag,
    summary: 'A thing',
    access: 'public',
    responses: { 204: 'empty' },
    handler: async () => undefined,
  }),
]);

/** Slow enough for a slow machine: at one token per second, a bucket hardly refills during a test. */
const SLOW = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '20' };
const PROXY = '127.0.0.9';
const TRUSTING = { ...SLOW, TRUST_PROXY: `${PROXY},10.0.0.0/8` };

const byte = () => randomInt(1, 250);
/** A client address that no other test uses. All of 127.0.0.0/8 is this machine. */
const aPeer = () => `127.${byte()}.${byte()}.${byte()}`;
const aClient = () => `203.${byte()}.${byte()}.${byte()}`;

interface RequestOptions {
  from: string;
  method?: string;
  preflight?: boolean;
  forwardedFor?: string | undefined;
  where?: string;
}

interface RawResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** Sends one request from an address of this machine. */
function send({ url }: { url: string }, options: RequestOptions): Promise<RawResponse> {
  const { from, forwardedFor, where = '/things/1', preflight, method = preflight ? 'OPTIONS' : 'GET' } = options;
  const headers = {
    ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
    ...(preflight ? { origin: 'https://shop.example', 'access-control-request-method': 'PUT' } : {}),
  };
  return new Promise((resolve, reject) => {
    const sent = http.request(url + where, { localAddress: from, method, headers, agent: false }, async (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: await text(response) });
    });
    sent.once('error', reject);
    sent.end();
  });
}

interface Flood {
  allowed: number;
  /** The maximum number of requests that the bucket allows in the time that the flood took. */
  atMost: number;
}

/** Sends `times` requests, built by `make`, and counts the allowed ones. */
async function flood(
  times: number,
  make: (i: number) => [TestApp, RequestOptions],
  { burst, perSecond } = { burst: 20, perSecond: 1 },
): Promise<Flood> {
  const start = Date.now();
  let allowed = 0;
  for (let i = 0; i < times; i += 1) {
    const { status } = await send(...make(i));
    expect([204, 429]).toContain(status);
    if (status === 204) allowed += 1;
  }
  return { allowed, atMost: burst + Math.ceil(((Date.now() - start) / 1000) * perSecond) };
}

function expectOneBucket({ allowed, atMost }: Flood, burst = 20): void {
  expect(allowed).toBeGreaterThanOrEqual(burst);
  expect(allowed).toBeLessThanOrEqual(atMost);
}

let app: TestApp;
let replica: TestApp;
let trusting: TestApp;
beforeAll(async () => {
  app = await startApp(service, SLOW);
  replica = await startApp(service, SLOW);
  trusting = await startApp(service, TRUSTING);
});
afterAll(() => Promise.all([app.close(), replica.close(), trusting.close()]));

/** Sends requests until one is refused. */
async function sendUntilRefused(target: TestApp, options: RequestOptions): Promise<RawResponse> {
  for (let i = 0; i < 100; i += 1) {
    const response = await send(target, options);
    if (response.status === 429) return response;
  }
  throw new Error('never refused');
}

describe('a client over the limit', () => {
  it('gets 429 with the time of the next retry', async () => {
    const response = await sendUntilRefused(app, { from: aPeer() });
    expect(response.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'retry-after': '1',
      ratelimit: 'limit=20, remaining=0, reset=1',
      'ratelimit-policy': '20;w=20',
    });
    expect(JSON.parse(response.text)).toEqual({
      type: '/docs/errors/rate_limited',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many requests: slow down.',
      code: 'rate_limited',
      request_id: response.headers['x-request-id'],
    });
  });

  it('can see it coming: every response shows the remaining tokens', async () => {
    const from = aPeer();
    expect((await send(app, { from })).headers.ratelimit).toMatch(/^limit=20, remaining=19, reset=\d+$/);
    const second = (await send(app, { from })).headers;
    expect(second.ratelimit).toMatch(/^limit=20, remaining=1[89], reset=\d+$/);
    expect(second).not.toHaveProperty('retry-after');
  });

  it('may still request the probes without limit', async () => {
    const from = aPeer();
    await sendUntilRefused(app, { from });
    for (const where of ['/health', '/ready', '/metrics']) {
      for (let i = 0; i < 25; i += 1) expect((await send(app, { from, where })).status).toBe(200);
      expect((await send(app, { from, where })).headers).not.toHaveProperty('ratelimit');
    }
  });

  it('is refused on every other path, known or not', async () => {
    const from = aPeer();
    const startedAt = Date.now();
    await sendUntilRefused(app, { from });
    const responses = await Promise.all(
      ['/nothing', '/docs', '/openapi.json', '/things/%zz', '/health/', '//ready', '/metrics/x'].map((where) =>
        send(app, { from, where }),
      ),
    );
    const allowed = responses.filter(({ status }) => status !== 429);
    // One token per second is refilled, whatever path it is used for.
    expect(allowed.length).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - startedAt) / 1000));
  });

  it('does not use the tokens of other clients', async () => {
    await sendUntilRefused(app, { from: aPeer() });
    expect((await send(app, { from: aPeer() })).status).toBe(204);
  });

  it('has one bucket for all paths and replicas of a service', async () => {
    const from = aPeer();
    expectOneBucket(
      await flood(80, (i) => [i % 2 ? app : replica, { from, where: i % 3 ? '/things/1' : '/things/2' }]),
    );
  });

  it('is also limited without Redis', async () => {
    const alone = await startApp(service, { ...SLOW, REDIS_HOST: '' });
    const from = aPeer();
    const passed = await flood(60, () => [alone, { from }]);
    expectOneBucket(passed);
    expect(await decisions(alone)).toEqual({
      'allowed process': passed.allowed,
      'refused process': 60 - passed.allowed,
    });
    await alone.close();
  });
});

describe('the separate bucket', () => {
  /** Ten times as large as the general one, and small enough to be emptied here. */
  const SMALL = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '2' };
  const TENFOLD = { burst: 20, perSecond: 10 };
  let small: TestApp;
  beforeAll(async () => {
    small = await startApp(service, SMALL);
  });
  afterAll(() => small.close());
  const policyOf = async (target: TestApp, options: RequestOptions) =>
    (await send(target, options)).headers['ratelimit-policy'];

  it('counts GET and HEAD of images, existing or not, and leaves the general bucket alone', async () => {
    const from = aPeer();
    const image = (i: number): RequestOptions => ({
      from,
      where: ['/images/a.png', '/images/none', '/images/%zz'][i % 3] ?? '',
      method: i % 2 ? 'HEAD' : 'GET',
    });
    for (let i = 0; i < 6; i += 1) expect(await policyOf(small, image(i))).toBe('20;w=2');
    expect((await send(small, { from })).headers.ratelimit).toMatch(/^limit=2, remaining=1,/);
    const other = aPeer();
    const where = '/images/a.png';
    expectOneBucket(await flood(60, () => [small, { from: other, where }], TENFOLD), TENFOLD.burst);
  });

  it('does not count other methods and similar paths', async () => {
    const from = aPeer();
    for (const method of ['POST', 'DELETE', 'OPTIONS'])
      expect(await policyOf(small, { from: aPeer(), where: '/images/a.png', method })).toBe('2;w=2');
    for (const where of ['/images', '/imagesX/a', '/IMAGES/a.png'])
      expect(await policyOf(small, { from: aPeer(), where })).toBe('2;w=2');
    expect(await policyOf(small, { from, where: '/images/a.png' })).toBe('20;w=2');
  });

  it('for preflights refuses preflights over the limit', async () => {
    const from = aPeer();
    const preflight = { from, preflight: true };
    expectOneBucket(await flood(60, () => [small, preflight], TENFOLD), TENFOLD.burst);
    const response = await sendUntilRefused(small, preflight);
    expect(response.headers).toMatchObject({
      'ratelimit-policy': '20;w=2',
      'retry-after': '1',
      'access-control-allow-origin': '*',
    });
    expect(JSON.parse(response.text).code).toBe('rate_limited');
    expect((await send(small, { from })).status).toBe(204);
    expect((await send(small, { from, where: '/health', preflight: true })).status).toBe(204);
  });

  it('has the configured size', async () => {
    const settings = { RATE_LIMIT_UPLOADS_PER_SECOND: '3', RATE_LIMIT_UPLOADS_BURST: '7' };
    const own = await startApp(service, { ...SMALL, ...settings });
    const from = aPeer();
    expect(await policyOf(own, { from, where: '/images/a.png' })).toBe('7;w=3');
    expect(await policyOf(own, { from })).toBe('2;w=2');
    expect(await policyOf(own, { from, preflight: true })).toBe('20;w=2');
    await own.close();
  });
});

it('Retry-After is never 0, however soon the next token comes', async () => {
  const size = { perSecond: 10_000, burst: 1 };
  const frozen = processBuckets(size, () => 0);
  const take = async (key: string) => ({ ...frozen.take(key), store: 'process' as const });
  const buckets = { general: { size, take }, uploads: { size, take }, preflights: { size, take } };
  const limited = express();
  const metrics = createMetrics('example');
  limited.use(rateLimitMiddleware({ service: 'example', buckets, bucketOf: () => 'general', metrics }));
  limited.use(((_error, _req, res, _next) => res.sendStatus(429)) satisfies ErrorRequestHandler);
  await request(limited).get('/').expect(404);
  const response = await request(limited).get('/').expect(429);
  expect(response.headers).toMatchObject({ 'retry-after': '1', ratelimit: 'limit=1, remaining=0, reset=1' });
});

it('the default is 10 requests per second with a burst of 20', async () => {
  const withDefaults = await startApp(service, { RATE_LIMIT_PER_SECOND: undefined, RATE_LIMIT_BURST: undefined });
  const { headers } = await send(withDefaults, { from: aPeer() });
  expect(headers).toMatchObject({
    ratelimit: expect.stringMatching(/^limit=20, remaining=19,/),
    'ratelimit-policy': '20;w=2',
  });
  await withDefaults.close();
});

describe('X-Forwarded-For', () => {
  it('from a peer that is not a trusted proxy is ignored', async () => {
    const from = aPeer();
    expectOneBucket(await flood(50, () => [trusting, { from, forwardedFor: aClient() }]));
    const other = aPeer();
    expectOneBucket(await flood(50, () => [app, { from: other, forwardedFor: aClient() }]));
  });

  it('from a trusted proxy identifies the client', async () => {
    const [one, other] = [aClient(), aClient()];
    expectOneBucket(await flood(50, () => [trusting, { from: PROXY, forwardedFor: one }]));
    expect((await send(trusting, { from: PROXY, forwardedFor: other })).status).toBe(204);
  });

  it('is read from its end: entries that the client wrote itself are ignored', async () => {
    const client = aClient();
    const spoofed = () => `${aClient()}, 10.1.2.3, ${aClient()}, ${client}, 10.${byte()}.${byte()}.${byte()}`;
    expectOneBucket(await flood(50, () => [trusting, { from: PROXY, forwardedFor: spoofed() }]));
    expect((await send(trusting, { from: PROXY, forwardedFor: `${client}, ${aClient()}` })).status).toBe(204);
  });
});

describe('an IPv6 client', () => {
  const aNetwork = () => `2001:db8:${randomInt(1, 0xffff).toString(16)}:${randomInt(1, 0xffff).toString(16)}`;
  const anAddress = () => Array.from({ length: 4 }, () => randomInt(1, 0xffff).toString(16)).join(':');

  it('is identified by its /64, whichever address it uses', async () => {
    const network = aNetwork();
    const from = () => ({ from: PROXY, forwardedFor: `${network}:${anAddress()}` });
    expectOneBucket(await flood(50, () => [trusting, from()]));
    expect((await send(trusting, { from: PROXY, forwardedFor: `${aNetwork()}::1` })).status).toBe(204);
  });

  it('in the next /64 is another client', async () => {
    const site = `2001:db8:${randomInt(1, 0xffff).toString(16)}`;
    await sendUntilRefused(trusting, { from: PROXY, forwardedFor: `${site}:1::1` });
    expect((await send(trusting, { from: PROXY, forwardedFor: `${site}:2::1` })).status).toBe(204);
  });

  it('with an IPv4-mapped address is the IPv4 client', async () => {
    const client = aClient();
    expectOneBucket(
      await flood(50, (i) => [trusting, { from: PROXY, forwardedFor: i % 2 ? client : `::ffff:${client}` }]),
    );
    expect((await send(trusting, { from: PROXY, forwardedFor: `::ffff:${aClient()}` })).status).toBe(204);
  });
});

/** The number of decisions, by decision and store. */
async function decisions({ resources }: TestApp): Promise<Record<string, number>> {
  const counted = (await samplesIn(resources.metrics)).filter(({ name }) => name === 'rate_limit_decisions_total');
  return Object.fromEntries(counted.map(({ labels, value }) => [`${labels.decision} ${labels.store}`, value]));
}
