import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { endpoint } from '@shop/core/http';
import type { Resources } from '@shop/core/service';
import {
  adHoc,
  capturedLog,
  countsBy,
  eventually,
  exampleService,
  exampleTag,
  startApp,
  type TestApp,
} from '@shop/testing';
import { z } from 'zod';

const common = { tag: exampleTag, summary: 'A thing', access: 'public', responses: { 204: 'empty' } } as const;

function blockFor(ms: number): void {
  const start = performance.now();
  while (performance.now() - start < ms);
}

const service = exampleService(({ db }: Resources) => [
  endpoint({ ...common, method: 'get', path: '/api/v1/cpu', handler: async () => blockFor(4) }),
  endpoint({
    ...common,
    method: 'post',
    path: '/api/v1/queries',
    body: z.strictObject({ text: z.string() }),
    handler: async () => void (await db.rows(adHoc('SELECT SLEEP(0.05)'))),
  }),
  endpoint({ ...common, method: 'get', path: '/api/v1/other', handler: async () => undefined }),
]);

/** More than are served in a second. */
const CLIENTS = 300;

let app: TestApp;
const log = capturedLog('warn');
beforeAll(async () => {
  app = await startApp(service, { CORS_ORIGINS: 'https://shop.example' }, log.logger);
});
afterAll(() => app.close());

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

const agent = new Agent({ keepAlive: true });
afterAll(() => agent.destroy());

const call = (method: string, path: string, headers: Record<string, string> = {}, body = '') =>
  new Promise<Answer>((resolve) => {
    const sent = request(app.url + path, { method, agent, headers }, (response) => {
      const { statusCode: status, headers: received } = response;
      text(response).then(
        (whole) => resolve({ status, headers: received, body: whole }),
        () => undefined,
      );
    });
    // A kept-alive connection may be closed at the moment of its next request.
    sent.once('error', () => resolve({ status: undefined, headers: {}, body: '' }));
    sent.end(body);
  });

/** Many clients that send their next request when they have the response. The refused ones wait a little, as clients do. */
function flood(clients: number, send: () => Promise<Answer>) {
  let isOver = false;
  const refused: Answer[] = [];
  let served = 0;
  const client = async () => {
    while (!isOver) {
      const answer = await send();
      if (answer.body.includes('"overloaded"')) refused.push(answer);
      if (answer.status === 204) served += 1;
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const clientsDone = Promise.all(Array.from({ length: clients }, client));
  return {
    refused,
    served: () => served,
    async stop() {
      isOver = true;
      await clientsDone;
    },
  };
}

const cpu = () => call('GET', '/api/v1/cpu', { 'x-request-id': 'mine', origin: 'https://shop.example' });
const query = () => call('POST', '/api/v1/queries', { 'content-type': 'application/json' }, '{"text":"mug"}');

describe.each([
  ['the event loop', 'event_loop', 'GET /api/v1/cpu', cpu],
  ['the database', 'database', 'POST /api/v1/queries', query],
])('more requests than %s can serve', (_title, reason, group, send) => {
  let load: ReturnType<typeof flood>;
  beforeAll(async () => {
    load = flood(CLIENTS, send);
    await eventually('requests to be refused', () => load.refused.length > 20);
  });
  afterAll(() => load.stop());

  test('are refused with 503 overloaded, Retry-After, and the headers of every response', async () => {
    const { headers, body } = load.refused[0] as Answer;
    expect(headers).toMatchObject({
      'retry-after': '1',
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-request-id': expect.any(String),
    });
    expect(JSON.parse(body)).toMatchObject({ status: 503, code: 'overloaded', request_id: headers['x-request-id'] });
  });

  test('leave the service time for those that are not refused', async () => {
    const before = load.served();
    await eventually('more successes', () => load.served() > before + 20);
  });

  test('neither affect the probes nor other endpoints', async () => {
    for (const path of ['/health', '/metrics', ...(reason === 'database' ? ['/ready'] : [])])
      expect([path, (await call('GET', path)).status]).toEqual([path, 200]);
    for (let turn = 0; turn < 5; turn += 1) expect((await call('GET', '/api/v1/other')).status).toBe(204);
  });

  test('are counted, and logged together', async () => {
    const metrics = app.resources.metrics;
    expect((await countsBy('reason', metrics, 'http_requests_shed_total'))[reason]).toBeGreaterThan(0);
    expect(log.lines()).toContainEqual(
      expect.objectContaining({
        msg: 'overloaded, refusing requests',
        refused: expect.any(Number),
        endpoints: expect.arrayContaining([group]),
      }),
    );
  });

  test('are served again when fewer arrive', async () => {
    await load.stop();
    const statuses: (number | undefined)[] = [];
    await eventually('ten successes in a row', async () => {
      statuses.push((await send()).status);
      return statuses.slice(-10).filter((status) => status === 204).length === 10;
    });
  });
});

test('a refused request of a page of another site has the headers of CORS and its request id', async () => {
  const load = flood(CLIENTS, cpu);
  await eventually('requests to be refused', () => load.refused.length > 0);
  await load.stop();
  expect(load.refused[0]?.headers).toMatchObject({
    'access-control-allow-origin': 'https://shop.example',
    'x-request-id': 'mine',
  });
});
