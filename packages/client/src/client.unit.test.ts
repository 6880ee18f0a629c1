import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { ApiError, type CodeOf, ConnectionError, createClient, isApiError, type TokenSet } from '@shop/client';

/** The client against a local server that misbehaves. The real shop is in tests/storefront.test.ts. */

interface Received {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}
type Respond = (received: Received, res: ServerResponse) => void;

let respond: Respond = () => undefined;
const received: Received[] = [];
const server = createServer(async (req, res) => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const { method = '', url = '', headers } = req;
  const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
  received.push(one);
  respond(one, res);
});
let baseUrl: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received.length = 0;
});

const json = (res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) => {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  res.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
};
const problem = (res: ServerResponse, status: number, code: string, headers: Record<string, string> = {}) =>
  json(res, status, { status, code, title: 'No', detail: `It is ${code}`, request_id: 'r1' }, headers);

/** Responds to each request with the next function, and to further ones with the last. */
const inOrder = (...steps: Respond[]): Respond => {
  let index = 0;
  return (one, res) => {
    const step = steps[Math.min(index, steps.length - 1)];
    index += 1;
    step?.(one, res);
  };
};
const tokenSet = (name: string): TokenSet => ({
  token: `access-${name}`,
  refresh_token: `refresh-${name}`,
  expires_in: 3600,
  expires_at: '2026-01-01T00:00:00.000Z',
  refresh_expires_at: '2026-02-01T00:00:00.000Z',
});
const order = { address_id: 1, items: [{ product_id: 1, quantity: 1 }] };
const drop: Respond = (_, res) => res.destroy();
const paths = () => received.map(({ method, url }) => `${method} ${url}`);

describe('retries', () => {
  test('after a 429, as late as Retry-After says, whatever the method', async () => {
    respond = inOrder(
      (_, res) => problem(res, 429, 'rate_limited', { 'retry-after': '1' }),
      (_, res) => json(res, 204, undefined),
    );
    const start = performance.now();
    await createClient({ baseUrl }).patch('/api/v1/transactions/{id}', {
      path: { id: 7 },
      body: { status: 'shipped' },
    });
    expect(paths()).toEqual(['PATCH /api/v1/transactions/7', 'PATCH /api/v1/transactions/7']);
    expect(performance.now() - start).toBeGreaterThan(1000);
  });

  test('after a lost connection and a 503, with the same Idempotency-Key', async () => {
    respond = inOrder(
      drop,
      (_, res) => problem(res, 503, 'database_busy'),
      (_, res) => json(res, 201, { id: 5 }),
    );
    const { id } = await createClient({ baseUrl }).post('/api/v1/transactions', { body: order });
    expect(id).toBe(5);
    const keys = received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0], keys[0]]);
  });

  test('each call has a key of its own', async () => {
    respond = (_, res) => json(res, 201, { id: 5 });
    const shop = createClient({ baseUrl });
    await shop.post('/api/v1/transactions', { body: order });
    await shop.post('/api/v1/transactions', { body: order, idempotencyKey: 'mine' });
    const [first, second] = received.map(({ headers }) => headers['idempotency-key']);
    expect([first === second, second]).toEqual([false, 'mine']);
  });

  test('not of a write that may have taken effect', async () => {
    respond = drop;
    const call = createClient({ baseUrl }).patch('/api/v1/transactions/{id}', {
      path: { id: 7 },
      body: { status: 'paid' },
    });
    await expect(call).rejects.toBeInstanceOf(ConnectionError);
    expect(received).toHaveLength(1);
  });

  test('at most as often as wanted', async () => {
    respond = (_, res) => problem(res, 503, 'database_unavailable');
    const call = createClient({ baseUrl, retries: 2 }).get('/api/v1/categories');
    await expect(call).rejects.toMatchObject({ code: 'database_unavailable', status: 503 });
    expect(received).toHaveLength(3);
  });

  test('not if the server asks for a long wait', async () => {
    respond = (_, res) => problem(res, 429, 'too_many_attempts', { 'retry-after': '600' });
    const call = createClient({ baseUrl }).logIn({ email: 'a@example.com', password: 'wrong' });
    await expect(call).rejects.toMatchObject({ code: 'too_many_attempts', retryAfter: 600 });
    expect(received).toHaveLength(1);
  });

  test('end with the signal, also while they wait', async () => {
    const controller = new AbortController();
    respond = (_, res) => {
      problem(res, 429, 'rate_limited', { 'retry-after': '10' });
      res.on('finish', () => setImmediate(() => controller.abort(new Error('changed my mind'))));
    };
    const call = createClient({ baseUrl }).get('/api/v1/categories', { signal: controller.signal });
    await expect(call).rejects.toThrow('changed my mind');
    expect(received).toHaveLength(1);
  });

  test('a server that never responds is a ConnectionError', async () => {
    respond = () => undefined;
    const call = createClient({ baseUrl, timeoutMs: 50, retries: 1 }).get('/api/v1/categories');
    await expect(call).rejects.toBeInstanceOf(ConnectionError);
    expect(received).toHaveLength(2);
  });
});

describe('the session', () => {
  const withRefresh =
    (valid: string): Respond =>
    ({ url, headers }, res) => {
      if (url.startsWith('/api/v1/auth/refresh')) json(res, 200, tokenSet('new'));
      else if (headers.authorization === `Bearer ${valid}`) json(res, 200, { id: 1 });
      else problem(res, 401, 'unauthenticated');
    };
  const refreshes = () => received.filter(({ url }) => url.startsWith('/api/v1/auth/refresh'));

  test('concurrent calls share one refresh, and each is sent again once', async () => {
    respond = withRefresh('access-new');
    const kept: (TokenSet | undefined)[] = [];
    const shop = createClient({ baseUrl, tokens: tokenSet('old'), onSession: (tokens) => kept.push(tokens) });
    await Promise.all(Array.from({ length: 8 }, () => shop.get('/api/v1/auth/me')));
    expect(refreshes().map(({ body }) => JSON.parse(body))).toEqual([{ refresh_token: 'refresh-old' }]);
    expect(received).toHaveLength(8 + 1 + 8);
    expect(kept).toEqual([tokenSet('new')]);
  });

  test('a call whose 401 comes after the refresh of another one does not refresh again', async () => {
    const late: (() => void)[] = [];
    respond = ({ url, headers }, res) => {
      const isOld = headers.authorization === 'Bearer access-old';
      if (isOld && url === '/api/v1/auth/me/sessions') late.push(() => problem(res, 401, 'unauthenticated'));
      else withRefresh('access-new')({ method: '', url, headers, body: '' }, res);
    };
    const shop = createClient({ baseUrl, tokens: tokenSet('old') });
    const slow = shop.get('/api/v1/auth/me/sessions');
    await shop.get('/api/v1/auth/me');
    for (const answer of late) answer();
    await slow;
    expect(refreshes()).toHaveLength(1);
  });

  test('a second 401 is an error, not a second refresh', async () => {
    respond = withRefresh('never');
    const shop = createClient({ baseUrl, tokens: tokenSet('old') });
    await expect(shop.get('/api/v1/auth/me')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(received).toHaveLength(3);
  });

  test('ends if the refresh token is refused', async () => {
    respond = ({ url }, res) =>
      problem(res, 401, url.includes('refresh') ? 'invalid_refresh_token' : 'unauthenticated');
    const states: string[] = [];
    const shop = createClient({ baseUrl, tokens: tokenSet('old'), onSession: (_, state) => states.push(state) });
    await expect(shop.get('/api/v1/auth/me')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(shop.get('/api/v1/auth/me')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect([states, refreshes().length, received[3]?.headers.authorization]).toEqual([['ended'], 1, undefined]);
  });

  test('survives a refresh without a connection', async () => {
    respond = ({ url }, res) => (url.includes('refresh') ? res.destroy() : problem(res, 401, 'unauthenticated'));
    const states: string[] = [];
    const shop = createClient({
      baseUrl,
      retries: 1,
      tokens: tokenSet('old'),
      onSession: (_, state) => states.push(state),
    });
    await expect(shop.get('/api/v1/auth/me')).rejects.toBeInstanceOf(ConnectionError);
    expect([states, refreshes().length]).toEqual([[], 2]);
  });

  test('one caller can stop waiting for a refresh that others wait for', async () => {
    const controller = new AbortController();
    respond = (one, res) => {
      if (one.url.includes('refresh')) controller.abort(new Error('changed my mind'));
      withRefresh('access-new')(one, res);
    };
    const shop = createClient({ baseUrl, tokens: tokenSet('old') });
    const [stopped, other] = await Promise.allSettled([
      shop.get('/api/v1/auth/me', { signal: controller.signal }),
      shop.get('/api/v1/auth/me'),
    ]);
    expect([stopped.status, other.status]).toEqual(['rejected', 'fulfilled']);
  });

  test('a wrong password is no expired token', async () => {
    respond = (_, res) => problem(res, 401, 'invalid_credentials');
    const shop = createClient({ baseUrl, tokens: tokenSet('old') });
    await expect(shop.logIn({ email: 'a@example.com', password: 'x' })).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
    expect(received).toHaveLength(1);
  });

  test('a logout forgets the tokens, also without a connection', async () => {
    respond = drop;
    const shop = createClient({ baseUrl, retries: 0, tokens: tokenSet('old') });
    await expect(shop.logOut()).rejects.toBeInstanceOf(ConnectionError);
    await expect(shop.get('/api/v1/auth/me')).rejects.toBeInstanceOf(ConnectionError);
    expect(received.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  test('a logout with cookies is none without a connection', async () => {
    respond = inOrder(drop, (_, res) => json(res, 204, undefined));
    const states: string[] = [];
    const shop = createClient({ baseUrl, retries: 0, session: 'cookies', onSession: (_, state) => states.push(state) });
    await expect(shop.logOut()).rejects.toBeInstanceOf(ConnectionError);
    expect(states).toEqual([]);
    await shop.logOut();
    expect(states).toEqual(['ended']);
  });

  test('with cookies, no token is in a body or a header', async () => {
    respond = inOrder(
      (_, res) => problem(res, 401, 'unauthenticated'),
      (_, res) => json(res, 200, { expires_in: 3600 }),
      (_, res) => json(res, 200, { id: 1 }),
    );
    await createClient({ baseUrl, session: 'cookies' }).get('/api/v1/auth/me');
    expect(paths()).toEqual(['GET /api/v1/auth/me', 'POST /api/v1/auth/refresh?cookies=true', 'GET /api/v1/auth/me']);
    expect(received.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined, undefined]);
  });
});

test('a list goes on where its cursor says, with the same filters', async () => {
  const page =
    (ids: number[], next_cursor: string | null): Respond =>
    (_, res) =>
      json(res, 200, { data: ids.map((id) => ({ id })), pagination: { limit: 2, next_cursor } });
  respond = inOrder(page([9, 8], 'a+b'), page([7], null));
  const ids: number[] = [];
  const products = createClient({ baseUrl }).list('/api/v1/catalog/products', {
    query: { search: 'red mug', limit: 2 },
  });
  for await (const { id } of products) ids.push(id);
  expect(ids).toEqual([9, 8, 7]);
  expect(paths()).toEqual([
    'GET /api/v1/catalog/products?limit=2&search=red+mug',
    'GET /api/v1/catalog/products?limit=2&search=red+mug&cursor=a%2Bb',
  ]);
});

test('a list fetches no page that is not asked for', async () => {
  respond = (_, res) => json(res, 200, { data: [{ id: 1 }, { id: 2 }], pagination: { next_cursor: 'more' } });
  for await (const _ of createClient({ baseUrl }).list('/api/v1/catalog/products')) break;
  expect(received).toHaveLength(1);
});

test('a body with a file is sent as a form', async () => {
  respond = (_, res) => json(res, 201, { url: '/uploads/1_a.txt', filename: 'a.txt', size: 2 });
  const file = new File(['hi'], 'a.txt', { type: 'text/plain' });
  await createClient({ baseUrl }).post('/api/v1/files/upload', { body: { file } });
  expect(received[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
  expect(received[0]?.body).toMatch(/name="file"; filename="a.txt"\r\nContent-Type: text\/plain\r\n\r\nhi\r\n/);
});

test('an error has the code, the fields and the request id of the problem', async () => {
  respond = (_, res) =>
    json(res, 400, {
      code: 'invalid_request',
      detail: 'No',
      request_id: 'r2',
      errors: [{ in: 'body', path: 'items.0.quantity', code: 'too_small', message: 'is too small' }],
    });
  const error = await createClient({ baseUrl })
    .post('/api/v1/transactions', { body: order })
    .catch((one: unknown) => one);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code: 'invalid_request', status: 400, requestId: 'r2', message: 'No' });
  expect((error as ApiError).fields).toEqual({ 'items.0.quantity': 'is too small' });
  expect([isApiError(error), isApiError(error, 'invalid_request'), isApiError(error, 'not_found')]).toEqual([
    true,
    true,
    false,
  ]);
  expect(isApiError(new Error('x'))).toBe(false);
});

test('a 304 is a response, for a caller with an ETag', async () => {
  respond = (_, res) => res.writeHead(304, { etag: '"a"' }).end();
  const headers = { 'if-none-match': '"a"' };
  const answer = await createClient({ baseUrl }).request('GET', '/api/v1/categories', { headers });
  expect([answer.status, answer.headers.get('etag'), received[0]?.headers['if-none-match']]).toEqual([
    304,
    '"a"',
    '"a"',
  ]);
});

test('an error page of a proxy is an error with a code, too', async () => {
  respond = (_, res) => res.writeHead(418, { 'content-type': 'text/html' }).end('<h1>No</h1>');
  const call = createClient({ baseUrl }).get('/api/v1/categories');
  await expect(call).rejects.toMatchObject({ code: 'unexpected_response', status: 418 });
});

test('codes and paths are typed', () => {
  const code: CodeOf<'POST', '/api/v1/transactions'> = 'insufficient_stock';
  // @ts-expect-error: an order cannot fail with it
  const wrong: CodeOf<'POST', '/api/v1/transactions'> = 'weak_password';
  const shop = createClient({ baseUrl });
  // @ts-expect-error: there is no such path
  const noPath = () => shop.get('/api/v1/nothing');
  // @ts-expect-error: it needs an id
  const noId = () => shop.get('/api/v1/catalog/products/{id}');
  expect([code, wrong, typeof noPath, typeof noId]).toHaveLength(4);
});

const root = path.join(__dirname, '../../..');

test('the types are those of the OpenAPI document', () => {
  execFileSync(process.execPath, ['scripts/client-types.mjs', '--check'], { cwd: root });
});

test('as a module it has less than 10 kB, minified and compressed', () => {
  const code = execFileSync(process.execPath, ['packages/client/bundle.mjs'], { cwd: root });
  const size = gzipSync(code, { level: 9 }).length;
  console.info(`client: ${code.length} bytes minified, ${size} compressed`);
  expect(size).toBeGreaterThan(1000);
  expect(size).toBeLessThan(10_000);
});
