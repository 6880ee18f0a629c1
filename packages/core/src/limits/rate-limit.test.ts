import { randomInt } from 'node:crypto';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { createMetrics, endpoint, noContent } from '@shop/core';
import { exampleService, startApp, type TestApp } from '@shop/testing';
import express, { type ErrorRequestHandler } from 'express';
import request from 'supertest';
import { rateLimitMiddleware } from './rate-limit';
import { processBuckets } from './token-bucket';

const service = exampleService(() => [
  endpoint({
    method: 'get',
    path: '/things/:id',
    tag: 'things',
    summary: 'A thing',
    access: 'public',
    answers: { 204: 'empty' },
    handler: async () => noContent(),
  }),
]);

/** Time enough for a slow machine: a token a second hardly refills during a test. */
const SLOW = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '20' };
const PROXY = '127.0.0.9';
const TRUSTING = { ...SLOW, TRUST_PROXY: `${PROXY},10.0.0.0/8` };

const byte = () => randomInt(1, 250);
/** All of 127.0.0.0/8 is this machine: a client that no other test was. */
const aPeer = () => `127.${byte()}.${byte()}.${byte()}`;
const aClient = () => `203.${byte()}.${byte()}.${byte()}`;

interface Asking {
  from: string;
  forwardedFor?: string | undefined;
  where?: string;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** One request from an address of this machine. */
function ask({ url }: { url: string }, { from, forwardedFor, where = '/things/1' }: Asking): Promise<Answer> {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return new Promise((resolve, reject) => {
    const sent = http.get(url + where, { localAddress: from, headers, agent: false }, async (answer) => {
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) });
    });
    sent.once('error', reject);
  });
}

interface Flood {
  allowed: number;
  /** What a bucket of 20 that gets one token a second lets through at most, in the time that this took. */
  atMost: number;
}

/** Sends `times` requests, `make` saying how each looks, and counts those that were let in. */
async function flood(times: number, make: (i: number) => [TestApp, Asking]): Promise<Flood> {
  const start = Date.now();
  let allowed = 0;
  for (let i = 0; i < times; i += 1) {
    const { status } = await ask(...make(i));
    expect([204, 429]).toContain(status);
    if (status === 204) allowed += 1;
  }
  return { allowed, atMost: 20 + Math.ceil((Date.now() - start) / 1000) };
}

function expectOneBucket({ allowed, atMost }: Flood): void {
  expect(allowed).toBeGreaterThanOrEqual(20);
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

/** Asks until it is refused. */
async function refused(target: TestApp, asking: Asking): Promise<Answer> {
  for (let i = 0; i < 100; i += 1) {
    const answer = await ask(target, asking);
    if (answer.status === 429) return answer;
  }
  throw new Error('never refused');
}

describe('who asks too often', () => {
  it('is told so, and when to come again', async () => {
    const answer = await refused(app, { from: aPeer() });
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'retry-after': '1',
      ratelimit: 'limit=20, remaining=0, reset=1',
      'ratelimit-policy': '20;w=20',
    });
    expect(JSON.parse(answer.text)).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many requests: slow down.',
      code: 'rate_limited',
      request_id: answer.headers['x-request-id'],
    });
  });

  it('hears of it before: what is left stands in each answer', async () => {
    const from = aPeer();
    expect((await ask(app, { from })).headers.ratelimit).toMatch(/^limit=20, remaining=19, reset=\d+$/);
    const second = (await ask(app, { from })).headers;
    expect(second.ratelimit).toMatch(/^limit=20, remaining=1[89], reset=\d+$/);
    expect(second).not.toHaveProperty('retry-after');
  });

  it('may still ask the probes, as often as it likes', async () => {
    const from = aPeer();
    await refused(app, { from });
    for (const where of ['/health', '/ready', '/metrics']) {
      for (let i = 0; i < 25; i += 1) expect((await ask(app, { from, where })).status).toBe(200);
      expect((await ask(app, { from, where })).headers).not.toHaveProperty('ratelimit');
    }
  });

  it('is refused on every other path, known or not', async () => {
    const from = aPeer();
    await refused(app, { from });
    const answers = await Promise.all(
      ['/nothing', '/docs', '/openapi.json', '/things/%zz', '/health/', '//ready', '/metrics/x'].map((where) =>
        ask(app, { from, where }),
      ),
    );
    const allowed = answers.filter(({ status }) => status !== 429);
    // A token comes back each second, whatever it is asked for.
    expect(allowed.length).toBeLessThanOrEqual(2);
  });

  it('does not spend what others have', async () => {
    await refused(app, { from: aPeer() });
    expect((await ask(app, { from: aPeer() })).status).toBe(204);
  });

  it('has one bucket for all paths and all replicas of a service', async () => {
    const from = aPeer();
    expectOneBucket(
      await flood(80, (i) => [i % 2 ? app : replica, { from, where: i % 3 ? '/things/1' : '/things/2' }]),
    );
  });

  it('is limited without Redis too', async () => {
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

it('nobody is told to come again after 0 seconds, however soon the next token comes', async () => {
  const size = { perSecond: 10_000, burst: 1 };
  const standing = processBuckets(size, () => 0);
  const buckets = { take: async (key: string) => ({ ...standing.take(key), store: 'process' as const }) };
  const limited = express();
  limited.use(rateLimitMiddleware({ service: 'example', size, buckets, metrics: createMetrics('example') }));
  limited.use(((_error, _req, res, _next) => res.sendStatus(429)) satisfies ErrorRequestHandler);
  await request(limited).get('/').expect(404);
  const answer = await request(limited).get('/').expect(429);
  expect(answer.headers).toMatchObject({ 'retry-after': '1', ratelimit: 'limit=1, remaining=0, reset=1' });
});

it('10 a second and 20 at once is what a service allows unless it is told otherwise', async () => {
  const usual = await startApp(service, { RATE_LIMIT_PER_SECOND: undefined, RATE_LIMIT_BURST: undefined });
  const { headers } = await ask(usual, { from: aPeer() });
  expect(headers).toMatchObject({
    ratelimit: expect.stringMatching(/^limit=20, remaining=19,/),
    'ratelimit-policy': '20;w=2',
  });
  await usual.close();
});

describe('X-Forwarded-For', () => {
  it('of a peer that is no trusted proxy does not count', async () => {
    const from = aPeer();
    expectOneBucket(await flood(50, () => [trusting, { from, forwardedFor: aClient() }]));
    const other = aPeer();
    expectOneBucket(await flood(50, () => [app, { from: other, forwardedFor: aClient() }]));
  });

  it('of a trusted proxy names the client', async () => {
    const [one, other] = [aClient(), aClient()];
    expectOneBucket(await flood(50, () => [trusting, { from: PROXY, forwardedFor: one }]));
    expect((await ask(trusting, { from: PROXY, forwardedFor: other })).status).toBe(204);
  });

  it('counts from its end: what a client wrote before the proxies is nothing', async () => {
    const client = aClient();
    const spoofed = () => `${aClient()}, 10.1.2.3, ${aClient()}, ${client}, 10.${byte()}.${byte()}.${byte()}`;
    expectOneBucket(await flood(50, () => [trusting, { from: PROXY, forwardedFor: spoofed() }]));
    expect((await ask(trusting, { from: PROXY, forwardedFor: `${client}, ${aClient()}` })).status).toBe(204);
  });
});

describe('an IPv6 client', () => {
  const aNetwork = () => `2001:db8:${randomInt(1, 0xffff).toString(16)}:${randomInt(1, 0xffff).toString(16)}`;
  const anAddress = () => Array.from({ length: 4 }, () => randomInt(1, 0xffff).toString(16)).join(':');

  it('is its /64, whichever of its addresses it uses', async () => {
    const network = aNetwork();
    const from = () => ({ from: PROXY, forwardedFor: `${network}:${anAddress()}` });
    expectOneBucket(await flood(50, () => [trusting, from()]));
    expect((await ask(trusting, { from: PROXY, forwardedFor: `${aNetwork()}::1` })).status).toBe(204);
  });

  it('of the next network is another', async () => {
    const site = `2001:db8:${randomInt(1, 0xffff).toString(16)}`;
    await refused(trusting, { from: PROXY, forwardedFor: `${site}:1::1` });
    expect((await ask(trusting, { from: PROXY, forwardedFor: `${site}:2::1` })).status).toBe(204);
  });

  it('that is an IPv4 one on a dual-stack socket is that one, and no other', async () => {
    const client = aClient();
    expectOneBucket(
      await flood(50, (i) => [trusting, { from: PROXY, forwardedFor: i % 2 ? client : `::ffff:${client}` }]),
    );
    expect((await ask(trusting, { from: PROXY, forwardedFor: `::ffff:${aClient()}` })).status).toBe(204);
  });
});

/** How often each bucket decided what. */
async function decisions({ resources }: TestApp): Promise<Record<string, number>> {
  const { values } = await resources.metrics.rateLimitDecisions.get();
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels.decision} ${labels.store}`, value]));
}
