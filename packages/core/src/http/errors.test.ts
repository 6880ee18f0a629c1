import net from 'node:net';
import { defineError } from '@shop/core/errors';
import { type Endpoint, endpoint, id, idParams, nameText, ok, pageQuery } from '@shop/core/http';
import { aUser, exampleService, exampleTag, JWT_SECRET, startApp, type TestApp, type TestUser } from '@shop/testing';
import jwt from 'jsonwebtoken';
import type { Response } from 'supertest';
import { z } from 'zod';

const outOfTea = defineError('conflict', 'out_of_tea', 'There is no tea left.', {
  when: 'The pot is empty.',
  action: 'Wait.',
  members: { cups: z.int().optional() },
});
const thing = z.strictObject({ name: nameText, count: z.int().min(1), parts: z.array(z.object({ id })).default([]) });

const endpoints: Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/things/:id',
    tag: exampleTag,
    summary: 'Show',
    access: 'public',
    params: idParams,
    query: z.object({ ...pageQuery, search: nameText.optional() }),
    responses: { 200: z.object({ id, search: z.string().optional() }) },
    handler: async ({ params, query }) => ok({ id: params.id, search: query.search }),
  }),
  endpoint({
    method: 'put',
    path: '/things/:id',
    tag: exampleTag,
    summary: 'Change',
    access: 'user',
    params: idParams,
    body: thing,
    responses: { 204: 'empty' },
    errors: [outOfTea],
    handler: async ({ body }) => {
      if (body.name === 'tea') throw outOfTea({ members: { cups: 0 } });
    },
  }),
  endpoint({
    method: 'delete',
    path: '/things/:id',
    tag: exampleTag,
    summary: 'Remove',
    access: 'admin',
    params: idParams,
    responses: { 204: 'empty' },
    handler: async () => undefined,
  }),
  endpoint({
    method: 'post',
    path: '/echo',
    tag: exampleTag,
    summary: 'Echo',
    access: 'public',
    body: z.strictObject({ name: nameText }),
    responses: { 200: z.object({ name: z.string() }) },
    handler: async ({ body }) => ok(body),
  }),
];

let app: TestApp;
let user: TestUser;
let admin: TestUser;
beforeAll(async () => {
  app = await startApp(exampleService(() => endpoints));
  [user, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
});
afterAll(() => app.close());

/** Asserts the common format of all error responses. */
function expectProblem(response: Response, status: number, code: string): void {
  expect([response.status, response.body.code]).toEqual([status, code]);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  expect(response.body).toMatchObject({
    type: `/docs/errors/${code}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    request_id: response.headers['x-request-id'],
  });
  if (status === 400) expect(response.body.errors).not.toHaveLength(0);
}

const post = (body: string, type = 'application/json') =>
  app.http.post('/echo').set('Content-Type', type).serialize(String).send(body);

describe('the pages below /docs', () => {
  const filesIn = (html: string) => [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);

  it.each([
    ['/docs', 5],
    ['/docs/things', 5],
    ['/docs/reference', 9],
  ])('%s loads and links only what exists, and has no inline script or style', async (path, count) => {
    const { text } = await app.http
      .get(path)
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const files = new Set(filesIn(text));
    expect(files.size).toBe(count);
    for (const file of files) expect((await app.http.get(file).expect(200)).headers).toHaveProperty('content-length');
    expect(text).not.toMatch(/<script(?! src)|<style| style=| on\w+=/);
  });

  it('only the reference may run a script, of this origin', async () => {
    const policyOf = async (path: string) => (await app.http.get(path)).headers['content-security-policy'];
    expect(await policyOf('/docs')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(await policyOf('/docs/reference')).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  });

  it('can be revalidated', async () => {
    const { headers } = await app.http.get('/docs/things').expect(200);
    expect(headers['cache-control']).toBe('public, max-age=300');
    await app.http.get('/docs/things').set('If-None-Match', `${headers.etag}`).expect(304);
  });

  it("show the gateway's address in their calls, if they come through it", async () => {
    const gateway = { 'X-Forwarded-For': '203.0.113.5', 'X-Forwarded-Proto': 'https' };
    const behind = await startApp(
      exampleService(() => []),
      { TRUST_PROXY: '127.0.0.1/32' },
    );
    const curlOf = async ({ http }: TestApp, host: string) => {
      const headers = { ...gateway, 'X-Forwarded-Host': host };
      return /curl \S+(?=<)/.exec((await http.get('/docs').set(headers)).text)?.[0];
    };
    try {
      expect(await curlOf(behind, 'shop.example:8443')).toBe('curl https://shop.example:8443/things');
      expect(await curlOf(behind, 'a"><script>')).toBe('curl http://localhost:8000/things');
      expect(await curlOf(app, 'shop.example')).toBe('curl http://localhost:8000/things');
    } finally {
      await behind.close();
    }
  });
});

describe('paths and methods', () => {
  it.each([
    '/nothing',
    '/things',
    '/things/1/more',
    '/',
    '/../etc/passwd',
    '/things/1%2f2/x',
    '/docs/nothing',
    '/docs/package.json',
    '/docs/index.html',
    '/docs/errors/no_such_code',
  ])('%s is 404', async (path) => {
    expectProblem(await app.http.get(path), 404, 'not_found');
  });

  it.each(['/things/01', '/things/007', '/things/001?page=1'])('%s is not a canonical id: 404', async (path) => {
    expectProblem(await app.http.get(path), 404, 'not_found');
    expectProblem(await app.http.put(path).set(user.auth).send({ name: 'x', count: 1 }), 404, 'not_found');
    expectProblem(await app.http.patch(path), 404, 'not_found');
  });

  it.each([
    '/Things/1',
    '/THINGS/1',
    '/things/1/',
    '/echo/',
    '/Docs',
    '/docs/',
    '/openapi.json/',
    '/Health',
    '/ready/',
  ])('%s is a different path: 404', async (path) => {
    expectProblem(await app.http.get(path), 404, 'not_found');
  });

  it.each([
    ['post', '/things/1', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['patch', '/things/x', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['get', '/echo', 'OPTIONS, POST'],
    ['head', '/echo', 'OPTIONS, POST'],
    ['post', '/health', 'GET, HEAD, OPTIONS'],
    ['delete', '/ready', 'GET, HEAD, OPTIONS'],
    ['put', '/metrics', 'GET, HEAD, OPTIONS'],
    ['post', '/docs', 'GET, HEAD, OPTIONS'],
    ['post', '/docs/things', 'GET, HEAD, OPTIONS'],
    ['put', '/docs/swagger-ui.css', 'GET, HEAD, OPTIONS'],
    ['post', '/openapi.json', 'GET, HEAD, OPTIONS'],
  ] as const)('%s %s is 405 and lists the allowed methods', async (method, path, allow) => {
    const response = await app.http[method](path).send(method === 'head' ? undefined : { any: 'thing' });
    expect([response.status, response.headers.allow]).toEqual([405, allow]);
    if (method !== 'head') expectProblem(response, 405, 'method_not_allowed');
  });

  it.each(['%00', '%20', '%2e%2e', '1%00', '1;drop', "1'", '%F0%9F%98%80', 'NaN', '1e2'])(
    '/things/%s is 400 and names the invalid path parameter',
    async (value) => {
      const response = await app.http.get(`/things/${value}`);
      expectProblem(response, 400, 'invalid_request');
      expect(response.body.errors).toEqual([
        { in: 'path', path: 'id', code: 'invalid_type', message: 'must be a whole number' },
      ]);
    },
  );

  it.each(['%ZZ', '%', '%ff', '%c0%ae', '%ed%a0%80'])('/things/%s is not validly encoded: 400', async (value) => {
    const response = await app.http.get(`/things/${value}`);
    expectProblem(response, 400, 'malformed_request');
    expect(response.body.errors).toEqual([
      { in: 'path', path: '', code: 'invalid_format', message: response.body.detail },
    ]);
  });
});

describe('queries', () => {
  it.each([
    ['page=0', 'page', 'too_small'],
    ['limit=101', 'limit', 'too_big'],
    ['limit=ten', 'limit', 'invalid_type'],
    ['page=1&page=2', 'page', 'invalid_type'],
    ['search=a&search=b', 'search', 'invalid_type'],
    ['search=%00', 'search', 'invalid_format'],
    ['search=caf%E9', 'search', 'invalid_format'],
    ['search=%ed%a0%80', 'search', 'invalid_format'],
    ['page=%ff', 'page', 'invalid_type'],
  ])('?%s is 400 and names the parameter', async (query, path, code) => {
    const response = await app.http.get(`/things/1?${query}`);
    expectProblem(response, 400, 'invalid_request');
    expect(response.body.errors).toEqual([{ in: 'query', path, code, message: expect.any(String) }]);
  });

  it.each([
    '',
    'unknown=1',
    'unknown=1&unknown=2',
    'search=',
    'page=&limit=',
    '__proto__=1&constructor=2',
    'page[]=0',
    'unknown=%ff',
    '%ff=1',
  ])('?%s has no effect: unknown and empty parameters are ignored', async (query) => {
    expect((await app.http.get(`/things/1?${query}`).expect(200)).body).toEqual({ id: 1 });
  });

  it.each([
    ['%F0%9F%8D%B5+%2B%20%25', '🍵 + %'],
    ['100%', '100%'],
    ['%zz', '%zz'],
  ])('?search=%s searches for "%s"', async (sent, search) => {
    expect((await app.http.get(`/things/1?search=${sent}`).expect(200)).body).toEqual({ id: 1, search });
  });
});

describe('bodies', () => {
  it('get all invalid fields reported at once, with their paths', async () => {
    const response = await app.http
      .put('/things/zero')
      .set(user.auth)
      .send({ name: '', count: '1', parts: [{ id: 1 }, { id: 0 }, 'x'], color: 'red', __extra: null });
    expectProblem(response, 400, 'invalid_request');
    expect(
      response.body.errors.map((error: { in: string; path: string }) => `${error.in} ${error.path}`).sort(),
    ).toEqual(['body __extra', 'body color', 'body count', 'body name', 'body parts.1.id', 'body parts.2', 'path id']);
  });

  it.each([
    ['an empty body', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"name"'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['a key with a special meaning in JavaScript', '{"name":"x","__proto__":{"admin":true}}'],
  ])('%s instead of an object is 400', async (_what, body) => {
    expectProblem(await post(body), 400, 'invalid_request');
  });

  it.each([
    ['truncated JSON', '{"name": "x"'],
    ['two values', '{"name":"x"}{}'],
    ['single quotes', "{'name':'x'}"],
    ['a trailing comma', '{"name":"x",}'],
    ['deep nesting', '['.repeat(50_000)],
  ])('%s is 400', async (_what, body) => {
    const response = await post(body);
    expectProblem(response, 400, 'invalid_json');
    expect(response.body.errors).toEqual([
      { in: 'body', path: '', code: 'invalid_format', message: response.body.detail },
    ]);
  });

  it('that are not UTF-8 are 400', async () => {
    const head =
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n';
    const response = await raw(
      Buffer.concat([Buffer.from(`${head}{"name":"`), Buffer.from([0xff]), Buffer.from('"}')]),
    );
    expect(response).toMatch(/^HTTP\/1.1 400 [\s\S]*"invalid_json"/);
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    '%s is 415',
    async (type) => {
      expectProblem(await post('name=x', type), 415, 'unsupported_media_type');
    },
  );

  it('without a media type, in an unknown charset or an unknown coding are 415', async () => {
    expectProblem(await post('{"name":"x"}', 'application/json; charset=latin1'), 415, 'unsupported_media_type');
    const coded = await app.http.post('/echo').set('Content-Encoding', 'zstd').send({ name: 'x' });
    expectProblem(coded, 415, 'unsupported_media_type');
    const untyped = await raw(
      `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"name":"x"}`,
    );
    expect(untyped).toMatch(/^HTTP\/1.1 415 /);
  });

  it.each(['utf-8', 'UTF-8', 'utf8', 'UTF8', '"utf-8"', '"Utf8"', 'utf-8; version=1'])(
    'in charset=%s are read',
    async (charset) => {
      const response = await post('{"name":"é"}', `application/json; charset=${charset}`);
      expect([response.status, response.body]).toEqual([200, { name: 'é' }]);
    },
  );

  it.each(['utf-7', 'UTF-16', 'utf-16le', 'utf-32', 'latin1', '"iso-8859-1"', 'klingon', 'utf-8x', 'utf 8'])(
    'in charset=%s are 415, whether or not the endpoint declares a body',
    async (charset) => {
      const type = `application/json; charset=${charset}`;
      const remove = app.http
        .delete('/things/1')
        .set(admin.auth)
        .set('Content-Type', type)
        .serialize(String)
        .send('{}');
      for (const response of [await post('{"name":"x"}', type), await remove]) {
        expectProblem(response, 415, 'unsupported_media_type');
        expect(response.body.detail).toContain(charset.replaceAll('"', ''));
      }
    },
  );

  it('of 100 KB pass and larger ones are 413, even without a Content-Length', async () => {
    const limit = 100 * 1024;
    const fits = `{"name":"x"${' '.repeat(limit - 12)}}`;
    await post(fits).expect(200);
    expectProblem(await post(`${fits} `), 413, 'payload_too_large');
    const chunk = `{"name":"${'x'.repeat(2 * limit)}"}`;
    const chunked = await raw(
      `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n` +
        `Connection: close\r\n\r\n${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413 /);
  });

  describe('of an endpoint that declares none', () => {
    const remove = (body: string, type = 'application/json') =>
      app.http.delete('/things/1').set(admin.auth).set('Content-Type', type).serialize(String).send(body);

    it('are rejected with an error for each field', async () => {
      const response = await remove('{"x":1,"y":null}');
      expectProblem(response, 400, 'invalid_request');
      expect(response.body.errors).toEqual([
        { in: 'body', path: 'x', code: 'unknown_field', message: 'is not a known field' },
        { in: 'body', path: 'y', code: 'unknown_field', message: 'is not a known field' },
      ]);
    });

    it.each(['[{"x":1}]', '"x"', '{"x":', 'x=1'])('are rejected: %s', async (body) => {
      expect((await remove(body)).status).toBe(400);
    });

    it.each(['', '{}', ' { } '])('may be empty: %j', async (body) => {
      await remove(body).expect(204);
    });

    it('are ignored in a GET, whatever they contain', async () => {
      for (const body of ['{"x":1}', '{"x":'])
        await app.http.get('/things/1').set('Content-Type', 'application/json').send(body).expect(200);
    });
  });

  it('keep every Unicode character unchanged', async () => {
    const name = 'zażółć 日本語 😀 \u202e \u0001 é e\u0301';
    expect((await app.http.post('/echo').send({ name }).expect(200)).body).toEqual({ name });
  });
});

describe('callers', () => {
  const put = (headers: Record<string, string>) => app.http.put('/things/zero').set(headers).send({ wrong: true });
  const INVALID = 'Bearer realm="api", error="invalid_token", error_description="The access token is invalid"';

  it.each([{}, { Authorization: '' }, { Authorization: 'Basic dXNlcjpwYXNz' }, { Cookie: 'other=1' }])(
    'without a token get 401 with a challenge, before any validation: %j',
    async (headers) => {
      const response = await put(headers);
      expectProblem(response, 401, 'unauthenticated');
      expect(response.headers['www-authenticate']).toBe('Bearer realm="api"');
      expect(response.body.detail).toMatch(/^An access token is required/);
      expect(response.body.errors).toBeUndefined();
    },
  );

  const forged = jwt.sign({ sub: '1', role: 'user', iat: 1, exp: 2 }, 'another-secret-of-more-than-thirty-two-bytes');

  it.each([
    { Authorization: 'Bearer' },
    { Authorization: 'Bearer a.b.c' },
    { Authorization: 'bearer x' },
    { Authorization: `Bearer ${forged}` },
    { Cookie: `access_token=${forged}`, 'Sec-Fetch-Site': 'same-origin' },
  ])('with an invalid one get 401 without the reason: %j', async (headers) => {
    const response = await put(headers);
    expectProblem(response, 401, 'unauthenticated');
    expect(response.headers['www-authenticate']).toBe(INVALID);
    expect(response.body.detail).toBe('The access token is invalid.');
  });

  it('with an expired one get 401 that says so', async () => {
    const token = jwt.sign({ sub: '1', role: 'user', iat: 1, exp: 2 }, JWT_SECRET);
    const response = await put({ Authorization: `Bearer ${token}` });
    expectProblem(response, 401, 'unauthenticated');
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="api", error="invalid_token", error_description="The access token expired"',
    );
    expect(response.body.detail).toBe('The access token expired.');
  });

  it('who are not admins get 403 on admin endpoints', async () => {
    expectProblem(await app.http.delete('/things/1').set(user.auth), 403, 'forbidden');
    await app.http.delete('/things/1').set(admin.auth).expect(204);
  });
});

it('a declared error is sent with its own code and message', async () => {
  const response = await app.http.put('/things/1').set(user.auth).send({ name: 'tea', count: 1 });
  expectProblem(response, 409, 'out_of_tea');
  expect(response.body).toMatchObject({ detail: 'There is no tea left.', cups: 0 });
  const { body: document } = await app.http.get('/openapi.json');
  expect(document.components.schemas.Problem.properties.cups).toMatchObject({ type: 'integer' });
});

/** Sends raw bytes. @returns everything received until the app closes the connection */
function raw(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let response = '';
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      response += chunk.toString();
    });
    socket.once('close', () => resolve(response));
    socket.once('error', (error) => (response ? resolve(response) : reject(error)));
  });
}
