import { randomInt } from 'node:crypto';
import { endpoint, idParams, ok } from '@shop/core/http';
import {
  aGate,
  countsBy,
  eventually,
  exampleService,
  exampleTag,
  type Gate,
  startApp,
  startProxy,
  type TcpProxy,
  type TestApp,
} from '@shop/testing';
import { z } from 'zod';

/** The rate limit and the cache of one request ask Redis at the same time. */

const SLOW = { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '1' };

let loads: number;
/** Holds the loads of `/slow` back. */
let gate: Gate;

const cached = (path: string, access: 'public' | 'user', load: () => Promise<unknown>) =>
  endpoint({
    method: 'get',
    path,
    tag: exampleTag,
    summary: path,
    access,
    params: idParams,
    responses: { 200: z.object({ id: z.int() }) },
    cache: ({ params }) => ({ key: String(params.id), scopes: [`${path}:${params.id}`], ttlSeconds: 60 }),
    handler: async ({ params }) => {
      loads += 1;
      await load();
      return ok({ id: params.id });
    },
  });
const service = exampleService(() => [
  endpoint({
    method: 'get',
    path: '/things/newest',
    tag: exampleTag,
    summary: 'Not from the cache',
    access: 'public',
    responses: { 204: 'empty' },
    handler: async () => {
      loads += 1;
    },
  }),
  cached('/things/:id', 'public', async () => undefined),
  cached('/own/:id', 'user', async () => undefined),
  cached('/slow/:id', 'public', () => gate.passed),
]);

let proxy: TcpProxy;
const apps: TestApp[] = [];
beforeAll(async () => {
  proxy = await startProxy({ host: '127.0.0.1', port: Number(process.env.SHOP_TEST_REDIS_PORT) });
});
beforeEach(() => {
  loads = 0;
  gate = aGate();
});
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));
afterAll(() => proxy.close());

async function start(settings: Record<string, string> = {}): Promise<TestApp> {
  const app = await startApp(service, { REDIS_PORT: String(proxy.port), TRUST_PROXY: '127.0.0.1', ...settings });
  apps.push(app);
  return app;
}

const aClient = () => `203.${randomInt(1, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
const get = (app: TestApp, path: string, client: string) => app.http.get(path).set('X-Forwarded-For', client);
const lookups = async ({ resources }: TestApp) => await countsBy('result', resources.metrics, 'cache_requests_total');

/** One token per second is refilled, so a slow machine may need several attempts. */
async function untilRefused<T extends { response: { status: number } }>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; attempts <= 100; attempts += 1) {
    const result = await attempt();
    if (result.response.status === 429) return result;
  }
  throw new Error('never refused');
}

test('a cached response takes one round trip to Redis', async () => {
  const app = await start();
  const client = aClient();
  const id = randomInt(1, 1e9);
  await eventually('a hit', async () => (await get(app, `/things/${id}`, client)).headers['x-cache'] === 'HIT');
  const passed: string[] = [];
  const record = (from: string) => (bytes: Buffer) => {
    passed.push(from);
    return bytes;
  };
  Object.assign(proxy, { toServer: record('service'), toClient: record('Redis') });
  const response = await get(app, `/things/${id}`, client).expect(200, { id });
  expect(response.headers).toMatchObject({ 'x-cache': 'HIT', ratelimit: expect.stringMatching(/^limit=1000000,/) });
  expect(passed).toEqual(['service', 'Redis']);
});

test.each([
  ['a cached response', '/things/1'],
  ['a response that is not in the cache', '/things/2'],
  ['an invalid parameter', '/things/none'],
  ['an invalid encoding', '/things/%zz'],
  ['a second URL of a resource', '/things/01'],
  ['an endpoint without a cache, whose path fits one with a cache', '/things/newest'],
  ['an access token that is missing', '/own/1'],
])('over the limit, %s is a 429, and is neither loaded nor counted as a lookup', async (_, path) => {
  const app = await start(SLOW);
  const client = aClient();
  await get(app, '/things/1', client).expect(200);
  const refused = await untilRefused(async () => ({
    before: [loads, await lookups(app)],
    response: await get(app, path, client),
  }));
  expect(refused.response.body.code).toBe('rate_limited');
  expect(refused.response.headers).toMatchObject({ ratelimit: 'limit=1, remaining=0, reset=1', 'retry-after': '1' });
  expect([loads, await lookups(app)]).toEqual(refused.before);
});

test('a request over the limit does not fail the requests that share its query', async () => {
  const app = await start(SLOW);
  const path = `/slow/${randomInt(1, 1e9)}`;
  const first = get(app, path, aClient()).then(({ status }) => status);
  await eventually('the query', () => loads === 1);
  const client = aClient();
  const statuses: number[] = [];
  const others = [1, 2, 3].map(() => get(app, path, client).then(({ status }) => statuses.push(status)));
  await eventually('a refusal', () => statuses.includes(429));
  gate.open();
  expect(await first).toBe(200);
  await Promise.all(others);
  expect(statuses).toContain(200);
});
