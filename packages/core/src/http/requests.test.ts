import { type Endpoint, endpoint, ok } from '@shop/core/http';
import { aUser, exampleService, exampleTag, startApp, type TestApp, type TestUser } from '@shop/testing';
import { z } from 'zod';

const who = z.object({ user_id: z.int() });

const endpoints: Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/me',
    tag: exampleTag,
    summary: 'Who',
    access: 'user',
    responses: { 200: who },
    handler: async ({ caller }) => ok({ user_id: caller.id }),
  }),
  endpoint({
    method: 'post',
    path: '/me',
    tag: exampleTag,
    summary: 'Change',
    access: 'user',
    responses: { 204: 'empty' },
    handler: async () => undefined,
  }),
  endpoint({
    method: 'get',
    path: '/request-id',
    tag: exampleTag,
    summary: 'The id of this request',
    access: 'public',
    responses: { 200: z.object({ id: z.string() }) },
    handler: async ({ requestId }) => ok({ id: requestId }),
  }),
];

const service = exampleService(() => endpoints);
const SHOP = 'https://shop.example';

let open: TestApp;
let listed: TestApp;
let closed: TestApp;
let user: TestUser;
beforeAll(async () => {
  open = await startApp(service, { CORS_ORIGINS: '*' });
  listed = await startApp(service, { CORS_ORIGINS: `${SHOP},https://admin.example` });
  closed = await startApp(service, { APP_ENV: 'testnet', CORS_ORIGINS: '' });
  user = await aUser();
});
afterAll(() => Promise.all([open.close(), listed.close(), closed.close()]));

describe('the request id', () => {
  it.each(['abc', '7d5c2f9e-1', 'x'.repeat(128), '!~#{}"'])('%s is accepted and echoed', async (id) => {
    const response = await open.http.get('/me').set('X-Request-Id', id).set(user.auth).expect(200);
    expect(response.headers['x-request-id']).toBe(id);
  });

  it.each(['', 'two words', 'x'.repeat(129), 'tab\tinside', 'n\u00e4h'])('%j is replaced', async (id) => {
    const response = await open.http.get('/me').set('X-Request-Id', id).set(user.auth).expect(200);
    expect(response.headers['x-request-id']).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  });

  it('is generated for each request without one, and is part of the error', async () => {
    const [first, second] = [await open.http.get('/me'), await open.http.get('/me')];
    expect(first.headers['x-request-id']).not.toBe(second.headers['x-request-id']);
    expect(first.body.request_id).toBe(first.headers['x-request-id']);
  });

  it('is passed to the handler', async () => {
    const { body, headers } = await open.http.get('/request-id').expect(200);
    expect(body.id).toBe(headers['x-request-id']);
  });
});

describe('HEAD and OPTIONS', () => {
  it('HEAD responds like GET, without the body', async () => {
    const get = await open.http.get('/me').set(user.auth).expect(200);
    const head = await open.http.head('/me').set(user.auth).expect(200);
    expect(head.text).toBeUndefined();
    for (const name of ['content-type', 'content-length', 'cache-control', 'etag']) {
      expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
    }
  });

  it('HEAD is 401 without a required token', async () => {
    const response = await open.http.head('/me').expect(401);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="api"');
  });

  it('OPTIONS lists the methods of a path, and is 404 for an unknown path', async () => {
    const response = await closed.http.options('/me').expect(204);
    expect(response.headers.allow).toBe('GET, HEAD, OPTIONS, POST');
    await closed.http.options('/nothing').expect(404);
  });
});

describe('CORS', () => {
  const preflight = (app: TestApp, origin: string) =>
    app.http
      .options('/me')
      .set('Origin', origin)
      .set('Access-Control-Request-Method', 'PUT')
      .set('Access-Control-Request-Headers', 'authorization,content-type');

  it('allows any origin if the list is *, but never with credentials', async () => {
    const response = await open.http.get('/me').set('Origin', 'https://any.example').set(user.auth).expect(200);
    expect(response.headers['access-control-allow-origin']).toBe('*');
    expect(response.headers).not.toHaveProperty('access-control-allow-credentials');
    expect((await preflight(open, 'https://any.example').expect(204)).headers).not.toHaveProperty(
      'access-control-allow-credentials',
    );
  });

  it('allows each listed origin by name, with credentials', async () => {
    for (const origin of [SHOP, 'https://admin.example']) {
      const response = await preflight(listed, origin).expect(204);
      expect(response.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-headers': 'authorization,content-type',
      });
      expect(response.headers['access-control-allow-methods']).toContain('PUT');
      expect(response.headers.vary).toContain('Origin');
    }
    const error = await listed.http.get('/me').set('Origin', SHOP).expect(401);
    expect(error.headers['access-control-allow-origin']).toBe(SHOP);
    expect(error.headers['access-control-expose-headers']?.split(',')).toEqual(
      expect.arrayContaining(['X-Request-Id', 'WWW-Authenticate']),
    );
  });

  it.each(['https://evil.example', `${SHOP}.evil.example`, 'http://shop.example', 'null', `${SHOP}:8443`])(
    'does not allow %s',
    async (origin) => {
      expect((await preflight(listed, origin)).headers).not.toHaveProperty('access-control-allow-origin');
      const response = await listed.http.get('/me').set('Origin', origin).set(user.auth);
      expect(response.headers).not.toHaveProperty('access-control-allow-origin');
      expect(response.headers.vary).toContain('Origin');
    },
  );

  it('allows no origin by default, except in the local environment', async () => {
    expect((await preflight(closed, SHOP)).headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('the access_token cookie', () => {
  const cookie = () => `theme=dark; access_token=${user.token}`;

  it('is accepted if the header is absent', async () => {
    expect((await open.http.get('/me').set('Cookie', cookie()).expect(200)).body).toEqual({ user_id: user.id });
    await open.http.post('/me').set('Cookie', cookie()).expect(204);
  });

  it('is ignored if the header is invalid', async () => {
    await open.http.get('/me').set('Cookie', cookie()).set('Authorization', 'Bearer a.b.c').expect(401);
    await open.http.get('/me').set('Cookie', cookie()).set('Authorization', '').expect(401);
  });

  it.each(['access_token=', 'access_token=a.b.c', 'token=x', ';;;', 'access_token'])(
    '%j is not a valid token',
    async (value) => {
      await open.http.get('/me').set('Cookie', value).expect(401);
    },
  );

  it('is rejected for a write from another site', async () => {
    const crossSite = { Cookie: cookie(), 'Sec-Fetch-Site': 'cross-site' };
    const response = await open.http.post('/me').set(crossSite).expect(403);
    expect(response.body.code).toBe('cross_site_request');
    await open.http.get('/me').set(crossSite).expect(200);
    await open.http
      .post('/me')
      .set({ ...crossSite, 'Sec-Fetch-Site': 'same-origin' })
      .expect(204);
    await open.http
      .post('/me')
      .set({ ...crossSite, ...user.auth })
      .expect(204);
  });

  it('is rejected for a write from a foreign origin if the browser sends no Sec-Fetch-Site', async () => {
    const response = await listed.http.post('/me').set({ Cookie: cookie(), Origin: 'https://evil.example' });
    expect([response.status, response.body.code]).toEqual([403, 'cross_site_request']);
    await listed.http.post('/me').set({ Cookie: cookie(), Origin: SHOP }).expect(204);
    const own = `http://${new URL(listed.url).host}`;
    await listed.http
      .post('/me')
      .set({ Cookie: cookie(), Origin: own, Host: new URL(own).host })
      .expect(204);
  });
});

it('responses have headers against sniffing, framing and shared caches', async () => {
  const response = await open.http.get('/me').set(user.auth).expect(200);
  expect(response.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'private, no-cache' });
  expect(response.headers).not.toHaveProperty('x-powered-by');
});
