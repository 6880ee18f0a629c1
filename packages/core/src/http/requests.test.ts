import { type Endpoint, endpoint, noContent, ok } from '@shop/core/http';
import { aUser, exampleService, startApp, type TestApp, type TestUser } from '@shop/testing';
import { z } from 'zod';

const who = z.object({ user_id: z.int() });

const endpoints: Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/me',
    tag: 'me',
    summary: 'Who',
    access: 'user',
    responses: { 200: who },
    handler: async ({ caller }) => ok({ user_id: caller.id }),
  }),
  endpoint({
    method: 'post',
    path: '/me',
    tag: 'me',
    summary: 'Change',
    access: 'user',
    responses: { 204: 'empty' },
    handler: async () => noContent(),
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
  it.each(['abc', '7d5c2f9e-1', 'x'.repeat(128), '!~#{}"'])('%s is taken and echoed', async (id) => {
    const answer = await open.http.get('/me').set('X-Request-Id', id).set(user.auth).expect(200);
    expect(answer.headers['x-request-id']).toBe(id);
  });

  it.each(['', 'two words', 'x'.repeat(129), 'tab\tinside', 'n\u00e4h'])('%j is replaced', async (id) => {
    const answer = await open.http.get('/me').set('X-Request-Id', id).set(user.auth).expect(200);
    expect(answer.headers['x-request-id']).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  });

  it('is a new one each time where none is given, and stands in the error', async () => {
    const [first, second] = [await open.http.get('/me'), await open.http.get('/me')];
    expect(first.headers['x-request-id']).not.toBe(second.headers['x-request-id']);
    expect(first.body.request_id).toBe(first.headers['x-request-id']);
  });
});

describe('HEAD and OPTIONS', () => {
  it('HEAD answers like GET, without the body', async () => {
    const get = await open.http.get('/me').set(user.auth).expect(200);
    const head = await open.http.head('/me').set(user.auth).expect(200);
    expect(head.text).toBeUndefined();
    for (const name of ['content-type', 'content-length', 'cache-control']) {
      expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
    }
  });

  it('HEAD of what needs a token is 401 without one', async () => {
    const answer = await open.http.head('/me').expect(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('OPTIONS says what a path knows, and 404 where there is none', async () => {
    const answer = await closed.http.options('/me').expect(204);
    expect(answer.headers.allow).toBe('GET, HEAD, OPTIONS, POST');
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

  it('lets any origin in where the list is *, never with credentials', async () => {
    const answer = await open.http.get('/me').set('Origin', 'https://any.example').set(user.auth).expect(200);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
    expect((await preflight(open, 'https://any.example').expect(204)).headers).not.toHaveProperty(
      'access-control-allow-credentials',
    );
  });

  it('lets listed origins in, each by its name, with credentials', async () => {
    for (const origin of [SHOP, 'https://admin.example']) {
      const answer = await preflight(listed, origin).expect(204);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-headers': 'authorization,content-type',
      });
      expect(answer.headers['access-control-allow-methods']).toContain('PUT');
      expect(answer.headers.vary).toContain('Origin');
    }
    const error = await listed.http.get('/me').set('Origin', SHOP).expect(401);
    expect(error.headers['access-control-allow-origin']).toBe(SHOP);
    expect(error.headers['access-control-expose-headers']).toContain('X-Request-Id');
  });

  it.each(['https://evil.example', `${SHOP}.evil.example`, 'http://shop.example', 'null', `${SHOP}:8443`])(
    'keeps %s out',
    async (origin) => {
      expect((await preflight(listed, origin)).headers).not.toHaveProperty('access-control-allow-origin');
      const answer = await listed.http.get('/me').set('Origin', origin).set(user.auth);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answer.headers.vary).toContain('Origin');
    },
  );

  it('keeps everybody out by default, away from the local environment', async () => {
    expect((await preflight(closed, SHOP)).headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('the access_token cookie', () => {
  const cookie = () => `theme=dark; access_token=${user.token}`;

  it('serves where the header is absent', async () => {
    expect((await open.http.get('/me').set('Cookie', cookie()).expect(200)).body).toEqual({ user_id: user.id });
    await open.http.post('/me').set('Cookie', cookie()).expect(204);
  });

  it('does not help a wrong header', async () => {
    await open.http.get('/me').set('Cookie', cookie()).set('Authorization', 'Bearer a.b.c').expect(401);
    await open.http.get('/me').set('Cookie', cookie()).set('Authorization', '').expect(401);
  });

  it.each(['access_token=', 'access_token=a.b.c', 'token=x', ';;;', 'access_token'])('%j is none', async (value) => {
    await open.http.get('/me').set('Cookie', value).expect(401);
  });

  it('changes nothing for a request that comes from another site', async () => {
    const crossSite = { Cookie: cookie(), 'Sec-Fetch-Site': 'cross-site' };
    const answer = await open.http.post('/me').set(crossSite).expect(403);
    expect(answer.body.code).toBe('cross_site_request');
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

  it('does not serve a foreign origin of a browser that does not say where it comes from', async () => {
    const answer = await listed.http.post('/me').set({ Cookie: cookie(), Origin: 'https://evil.example' });
    expect([answer.status, answer.body.code]).toEqual([403, 'cross_site_request']);
    await listed.http.post('/me').set({ Cookie: cookie(), Origin: SHOP }).expect(204);
    const own = `http://${new URL(listed.url).host}`;
    await listed.http
      .post('/me')
      .set({ Cookie: cookie(), Origin: own, Host: new URL(own).host })
      .expect(204);
  });
});

it('answers carry headers against sniffing, framing and caching', async () => {
  const answer = await open.http.get('/me').set(user.auth).expect(200);
  expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  expect(answer.headers).not.toHaveProperty('x-powered-by');
});
