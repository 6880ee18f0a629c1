import { randomUUID } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { databaseUnavailable, defineError } from '@shop/core/errors';
import { endpoint, ok } from '@shop/core/http';
import { createMetrics } from '@shop/core/metrics';
import type { Resources } from '@shop/core/service';
import { fileKinds } from '@shop/core/storage';
import { type RedisServer, startRedis } from '@shop/test-servers';
import {
  aGate,
  aUser,
  eventually,
  exampleService,
  exampleTag,
  figure,
  labelValues,
  type Sample,
  scrape,
  startApp,
  startExampleProcess,
  type TestApp,
} from '@shop/testing';
import { z } from 'zod';
import { int, statement } from '../db';
import { localStorage } from '../storage';

const invalidOddity = defineError('invalid', 'invalid_oddity', 'The oddity is invalid.', {
  when: 'The oddity is invalid.',
  action: 'Send another one.',
  field: { in: 'body', path: 'oddity', code: 'invalid_value' },
});
const gate = aGate();

const COUNT_USERS = statement('user.count', { count: int }, 'SELECT COUNT(*) AS count FROM users');
const TOUCH_USER = statement('user.touch', 'UPDATE users SET name = name WHERE id = :id');

const common = { tag: exampleTag, summary: 'A thing', access: 'public' } as const;
const endpoints = ({ db }: Resources) => [
  endpoint({
    ...common,
    method: 'get',
    path: '/things/:id',
    params: z.object({ id: z.string() }),
    responses: { 204: 'empty' },
    handler: async ({ params }) => {
      if (params.id === 'waiting') await gate.passed;
      if (params.id === 'broken') throw new Error('a bug');
    },
  }),
  endpoint({
    ...common,
    method: 'get',
    path: '/counted',
    responses: { 204: 'empty' },
    handler: async () => {
      await db.rows(COUNT_USERS);
      await db.transaction(async (sql) => {
        await sql.rows(COUNT_USERS);
        await sql.write(TOUCH_USER, { id: 1 });
      });
    },
  }),
  endpoint({
    ...common,
    method: 'get',
    path: '/cached/:id',
    params: z.object({ id: z.string() }),
    responses: { 200: z.object({ id: z.string() }) },
    cache: ({ params }) => ({ key: params.id, scopes: ['things'], ttlSeconds: 60 }),
    handler: async ({ params }) => ok(params),
  }),
  endpoint({
    ...common,
    method: 'post',
    path: '/uploads',
    body: z.object({ how: z.string() }),
    form: z.object({ how: z.string() }),
    upload: {
      field: 'file',
      required: false,
      maxBytes: 1000,
      kinds: fileKinds,
      storage: localStorage(process.env.SHOP_TEST_UPLOADS ?? '', () => undefined),
    },
    responses: { 204: 'empty' },
    errors: [invalidOddity],
    handler: async ({ body }) => {
      if (body.how === 'invalid') throw invalidOddity();
      if (body.how === 'database down') throw databaseUnavailable();
      if (body.how === 'broken') throw new Error('a bug');
    },
  }),
];

let app: TestApp;
beforeAll(async () => {
  app = await startApp(exampleService(endpoints), { GIT_REVISION: 'abc123' });
});
afterAll(() => app.close());

let before: Sample[];
beforeEach(async () => {
  before = await scrape(app.url);
});

/** How much a metric has increased since the test began. */
async function increase(name: string, labels: Record<string, string> = {}): Promise<number> {
  return (figure(await scrape(app.url), name, labels) ?? 0) - (figure(before, name, labels) ?? 0);
}

/** Waits, because metrics are updated after the response is sent: the client may see the response first. */
const becomes = (expected: number, name: string, labels: Record<string, string>) =>
  eventually(`${name} to increase by ${expected}`, async () => (await increase(name, labels)) === expected);

/** A request that a well-behaved client would not send. */
const rawRequest = (method: string, where: string) =>
  new Promise<number>((resolve, reject) => {
    const sent = http.request(app.url + where, { method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
    sent.end();
  });

test('every series has a service label, and one shows the running build', async () => {
  const samples = await scrape(app.url);
  expect(samples.length).toBeGreaterThan(20);
  expect(samples.filter(({ name, labels }) => name === '' || labels.service !== 'example')).toEqual([]);
  expect(figure(samples, 'shop_build_info', { revision: 'abc123', node_version: process.version })).toBe(1);
  expect(labelValues(samples, 'shop_build_info', 'version')).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
});

describe('requests', () => {
  const endpointLabel = { endpoint: '/things/:id', method: 'GET' };

  test('are counted and timed by declared route, method and status', async () => {
    for (const id of ['1', '2', randomUUID()]) await app.http.get(`/things/${id}`).expect(204);
    await app.http.get('/things/broken').expect(500);
    await becomes(3, 'http_requests_total', { ...endpointLabel, status: '204' });
    await becomes(1, 'http_requests_total', { ...endpointLabel, status: '500' });
    await becomes(4, 'http_request_duration_seconds_count', endpointLabel);
    await becomes(4, 'http_request_duration_seconds_bucket', { ...endpointLabel, le: '+Inf' });
    expect(await increase('http_request_duration_seconds_sum', endpointLabel)).toBeGreaterThan(0);
  });

  test('for unknown paths share one label, however they are written', async () => {
    const paths = ['/nothing', `/${randomUUID()}`, '/things/%zz', '/things/1/2', '/THINGS/a/b?x=/things/1', '//things'];
    for (const where of paths) expect(await rawRequest('GET', where)).toBeGreaterThanOrEqual(400);
    await becomes(paths.length, 'http_requests_total', { endpoint: 'unmatched', method: 'GET' });
    expect(labelValues(await scrape(app.url), 'http_requests_total', 'endpoint')).not.toContain('/nothing');
  });

  test('with unknown methods share one label, and an unsupported method creates no series for the route', async () => {
    for (const method of ['PROPFIND', 'PURGE', 'LOCK']) await rawRequest(method, '/things/1');
    for (const method of ['PUT', 'DELETE']) expect(await rawRequest(method, '/things/1')).toBe(405);
    await becomes(3, 'http_requests_total', { endpoint: 'unmatched', method: 'OTHER' });
    for (const method of ['PUT', 'DELETE']) await becomes(1, 'http_requests_total', { endpoint: 'unmatched', method });
    for (const probe of ['/metrics', '/health', '/docs']) expect(await rawRequest('DELETE', probe)).toBe(405);
    const samples = await scrape(app.url);
    for (const one of ['/things/:id', '/metrics', '/health', '/docs']) {
      expect(figure(samples, 'http_requests_total', { endpoint: one, method: 'DELETE' })).toBeUndefined();
    }
  });

  test('are in flight until the response is sent, including the scrape itself', async () => {
    expect(figure(before, 'http_requests_in_flight')).toBe(1);
    const waiting = rawRequest('GET', '/things/waiting');
    await becomes(1, 'http_requests_in_flight', {});
    gate.open();
    expect(await waiting).toBe(204);
    await becomes(0, 'http_requests_in_flight', {});
  });

  test('aborted by the client are 499', async () => {
    const arrived = aGate();
    const slow = await startApp(
      exampleService(() => [
        endpoint({
          ...common,
          method: 'get',
          path: '/never',
          responses: { 204: 'empty' },
          handler: () => {
            arrived.open();
            return new Promise<void>(() => undefined);
          },
        }),
      ]),
    );
    const sent = http.get(`${slow.url}/never`).on('error', () => undefined);
    const inFlight = async (n: number) => figure(await scrape(slow.url), 'http_requests_in_flight') === n;
    await arrived.passed;
    expect(await inFlight(2)).toBe(true);
    sent.destroy();
    const labels = { endpoint: '/never', method: 'GET', status: '499' };
    const counted = async () => figure(await scrape(slow.url), 'http_requests_total', labels);
    await eventually('the request to be counted', async () => (await counted()) === 1);
    await eventually('the request to end', () => inFlight(1));
    await slow.close();
  });
});

describe('the database', () => {
  test('statements are timed by name, inside and outside of transactions', async () => {
    await app.http.get('/counted').expect(204);
    expect(await increase('db_query_duration_seconds_count', { query: 'user.count' })).toBe(2);
    expect(await increase('db_query_duration_seconds_count', { query: 'user.touch' })).toBe(1);
    expect(await increase('db_query_duration_seconds_sum', { query: 'user.count' })).toBeGreaterThan(0);
  });

  test('the pool reports its limit, its open, idle and busy connections, its waiting callers and the waiting time', async () => {
    await app.http.get('/counted').expect(204);
    const samples = await scrape(app.url);
    expect(figure(samples, 'db_pool_connections_limit')).toBe(10);
    const [open, idle, busy] = ['open', 'idle', 'busy'].map((one) => figure(samples, `db_pool_connections_${one}`));
    expect(open).toBeGreaterThanOrEqual(1);
    expect(open).toBe((idle ?? 0) + (busy ?? 0));
    expect(figure(samples, 'db_pool_waiting')).toBe(0);
    expect(await increase('db_pool_acquire_duration_seconds_count')).toBe(2);
  });

  test('failures are counted by the error code that the client gets', async () => {
    const lost = await startApp(exampleService(endpoints), { DB_PORT: '1' });
    await lost.http.get('/counted').expect(503);
    expect(figure(await scrape(lost.url), 'db_errors_total', { code: 'database_unavailable' })).toBe(1);
    await lost.close();
  });
});

describe('uploads', () => {
  const upload = (how: string, bytes = 100) =>
    app.http
      .post('/uploads')
      .field('how', how)
      .attach('file', Buffer.alloc(bytes, 'x'), how === 'png' ? 'a.png' : 'a.txt');

  test.each([
    ['stored', 204, 'well', 100],
    ['refused', 400, 'invalid', 100],
    ['refused', 413, 'well', 2000],
    ['refused', 415, 'png', 100],
    ['refused', 400, 'well', 0],
    ['failed', 503, 'database down', 100],
    ['failed', 500, 'broken', 100],
  ])('are counted as %s (%i) in case "%s" with %i bytes', async (outcome, status, how, bytes) => {
    await upload(how, bytes).expect(status);
    for (const one of ['stored', 'refused', 'failed']) {
      expect([one, await increase('uploads_total', { outcome: one })]).toEqual([one, one === outcome ? 1 : 0]);
    }
    expect(await increase('upload_bytes_total')).toBe(outcome === 'stored' ? bytes : 0);
  });

  test('are counted only for requests with a file', async () => {
    await app.http.post('/uploads').send({ how: 'well' }).expect(204);
    await app.http.post('/uploads').field('how', 'well').expect(204);
    expect(await increase('uploads_total')).toBe(0);
  });
});

test('cache lookups are counted by declared path and result', async () => {
  const [id, other] = [randomUUID(), randomUUID()];
  for (const one of [id, id, id, other]) await app.http.get(`/cached/${one}`).expect(200);
  const cache = '/cached/:id';
  expect(await increase('cache_requests_total', { cache, result: 'miss' })).toBe(2);
  expect(await increase('cache_requests_total', { cache, result: 'hit' })).toBe(2);
  expect(await increase('redis_client_command_duration_seconds_count', { purpose: 'cache_read' })).toBe(4);
  expect(await increase('redis_client_command_duration_seconds_count', { purpose: 'cache_store' })).toBe(2);
});

test('rate-limit decisions are counted, and so are the refused requests', async () => {
  const limited = await startApp(exampleService(endpoints), { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '3' });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i += 1) statuses.push((await limited.http.get('/things/1')).status);
  const samples = await scrape(limited.url);
  const allowed = statuses.filter((status) => status === 204).length;
  expect(figure(samples, 'rate_limit_decisions_total', { decision: 'allowed', store: 'redis' }) ?? 0).toBe(allowed);
  expect(figure(samples, 'rate_limit_decisions_total', { decision: 'refused', store: 'redis' })).toBe(5 - allowed);
  expect(figure(samples, 'http_requests_total', { endpoint: 'unmatched', status: '429' })).toBe(5 - allowed);
  await limited.close();
});

describe('Redis', () => {
  let redis: RedisServer;
  let alone: TestApp;
  beforeAll(async () => {
    const dir = path.join(process.env.SHOP_TEST_DIR ?? '/tmp', `metrics-redis-${randomUUID()}`);
    redis = await startRedis({ dir, dieWithParent: true });
    alone = await startApp(exampleService(endpoints), { REDIS_PORT: String(redis.port) });
  });
  afterAll(async () => {
    await alone.close();
    await redis.stop();
  });

  const now = async (name: string, labels = {}) => figure(await scrape(alone.url), name, labels);
  const reads = () => alone.http.get('/cached/1').expect(200);

  test('up: no failures', async () => {
    await reads();
    expect(await now('redis_up')).toBe(1);
    for (const reason of ['away', 'timeout', 'error']) {
      expect(await now('redis_client_failures_total', { reason })).toBe(0);
    }
  });

  const isUp = (value: number) => eventually(`redis_up to be ${value}`, async () => (await now('redis_up')) === value);

  test('frozen: a timeout, then it counts as down, and the cache is bypassed', async () => {
    redis.pause();
    await reads();
    await isUp(0);
    expect(await now('redis_client_failures_total', { reason: 'timeout' })).toBeGreaterThanOrEqual(1);
    expect(await now('cache_requests_total', { cache: '/cached/:id', result: 'bypass' })).toBeGreaterThanOrEqual(1);
    expect(await now('rate_limit_decisions_total', { store: 'process' })).toBeGreaterThanOrEqual(1);
    redis.resume();
    await isUp(1);
  });

  test('frozen and then restarted: used again', async () => {
    redis.pause();
    await reads();
    await redis.kill();
    await isUp(0);
    await redis.start();
    await isUp(1);
    const bypasses = await now('cache_requests_total', { cache: '/cached/:id', result: 'bypass' });
    await reads();
    expect(await now('cache_requests_total', { cache: '/cached/:id', result: 'bypass' })).toBe(bypasses);
  });

  test('stopped: redis_up is 0, and failures have the reason "away"', async () => {
    await redis.stop();
    await eventually('redis_up to be 0', async () => (await now('redis_up')) === 0);
    const failures = (await now('redis_client_failures_total', { reason: 'away' })) ?? 0;
    await reads();
    // One for the rate limit, one for the cache.
    expect(await now('redis_client_failures_total', { reason: 'away' })).toBe(failures + 2);
    await redis.start();
    await eventually('redis_up to be 1', async () => (await now('redis_up')) === 1);
  });
});

test('a deadlock is counted as a retry with its reason', async () => {
  const { db } = app.resources;
  const [one, two] = [await aUser(), await aUser()];
  let arrived = 0;
  const both = aGate();
  const swap = (first: { id: number }, second: { id: number }) =>
    db.transaction(async (sql) => {
      await sql.write(TOUCH_USER, { id: first.id });
      arrived += 1;
      if (arrived === 2) both.open();
      await both.passed;
      await sql.write(TOUCH_USER, { id: second.id });
    });
  await Promise.all([swap(one, two), swap(two, one)]);
  expect(await increase('db_transaction_retries_total', { reason: 'deadlock' })).toBe(1);
});

test("a process exposes Node's own metrics", async () => {
  const service = await startExampleProcess();
  const ready = async () => (await fetch(`${service.url}/ready`).catch(() => undefined))?.ok;
  await eventually('/ready', ready);
  const samples = await scrape(service.url);
  for (const name of ['process_start_time_seconds', 'process_resident_memory_bytes', 'process_cpu_seconds_total']) {
    expect([name, (figure(samples, name, { service: 'example' }) ?? 0) > 0]).toEqual([name, true]);
  }
  expect(figure(samples, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
  await service.kill();
});

describe('a counter of a service', () => {
  const spec = { name: 'things_total', help: 'Things', labelNames: ['kind'] as const };

  test('is shared by all who register it, and appears in the first scrape', async () => {
    const metrics = createMetrics('example');
    metrics.counter(spec, [{ kind: 'good' }]).inc({ kind: 'good' });
    metrics.counter(spec).inc({ kind: 'good' });
    metrics.counter(spec, [{ kind: 'bad' }]);
    expect(await metrics.registry.metrics()).toMatch(/^things_total\{kind="good",service="example"\} 2$/m);
  });
});
