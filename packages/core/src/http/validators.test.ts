import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { defineError, forbidden, notFound } from '@shop/core/errors';
import { type Endpoint, endpoint, id, idParams, ok } from '@shop/core/http';
import { assertMatches } from '@shop/core/preconditions';
import { aUser, eventually, exampleService, exampleTag, startApp, type TestApp, type TestUser } from '@shop/testing';
import { z } from 'zod';

/** ETag, If-None-Match, If-Match and Cache-Control of declared endpoints. */

const SHOP = 'https://shop.example';
const thing = z.object({ id, name: z.string() });
const taken = defineError('conflict', 'taken', 'The name is taken.', {
  when: 'Another thing has the name.',
  action: 'Take another name.',
});
const names = new Map([[1, 'cup']]);
const find = (thingId: number) => {
  const name = names.get(thingId);
  if (name === undefined) throw notFound();
  // The schema does not name `secret`, so it is no part of the representation.
  return { id: thingId, name, secret: Math.random() };
};

const about = { tag: exampleTag, summary: 'A thing' } as const;

const endpoints: Endpoint[] = [
  endpoint({
    ...about,
    method: 'get',
    path: '/things/:id',
    access: 'public',
    params: idParams,
    responses: { 200: thing },
    errors: [notFound],
    handler: async ({ params }) => ok(find(params.id)),
  }),
  endpoint({
    ...about,
    method: 'get',
    path: '/own/things/:id',
    access: 'user',
    params: idParams,
    responses: { 200: thing },
    errors: [notFound],
    handler: async ({ params }) => ok(find(params.id)),
  }),
  endpoint({
    ...about,
    method: 'get',
    path: '/cached/:id',
    access: 'public',
    params: idParams,
    responses: { 200: thing },
    cache: ({ params }) => ({ key: `validators-${params.id}-${process.pid}`, scopes: ['validators'], ttlSeconds: 60 }),
    handler: async () => ({ ...ok({ id: 1, name: 'é\n'.repeat(800) }), headers: { Link: '</next>; rel="next"' } }),
  }),
  endpoint({
    ...about,
    method: 'put',
    path: '/own/things/:id',
    access: 'user',
    params: idParams,
    body: z.strictObject({ name: z.string() }),
    responses: { 204: 'empty' },
    ifMatch: thing,
    errors: [notFound, forbidden, taken],
    handler: async ({ params, body, ifMatch }) => {
      const current = find(params.id);
      if (body.name === 'forbidden') throw forbidden();
      assertMatches(ifMatch, current);
      if (body.name === 'taken') throw taken();
      names.set(params.id, body.name);
    },
  }),
  endpoint({
    ...about,
    method: 'post',
    path: '/secrets',
    access: 'public',
    responses: { 200: z.object({ token: z.string() }) },
    handler: async () => ok({ token: 'x'.repeat(2000) }),
  }),
];

let app: TestApp;
let replica: TestApp;
let withoutRedis: TestApp;
let user: TestUser;
beforeAll(async () => {
  const start = (env = {}) =>
    startApp(
      exampleService(() => endpoints),
      { CORS_ORIGINS: SHOP, ...env },
    );
  [app, replica, withoutRedis, user] = await Promise.all([start(), start(), start({ REDIS_HOST: '' }), aUser()]);
});
afterAll(() => Promise.all([app, replica, withoutRedis].map((each) => each.close())));
beforeEach(() => names.set(1, 'cup'));

const etagOf = async (path: string): Promise<string> =>
  (await app.http.get(path).set(user.auth).expect(200)).headers.etag ?? '';

interface RawResponse {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Sends only these headers, and does not decompress. */
const raw = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<RawResponse> =>
  new Promise((resolve, reject) => {
    request(app.url + path, { method, headers, agent: false }, async (res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of res) chunks.push(chunk as Buffer);
      resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks) });
    })
      .on('error', reject)
      .end();
  });

describe('the ETag', () => {
  it('is strong, and the same in two calls, on two replicas and for HEAD', async () => {
    const etag = await etagOf('/things/1');
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    await app.http.get('/things/1').expect('ETag', etag);
    await replica.http.get('/things/1').expect('ETag', etag);
    await app.http.head('/things/1').expect(200).expect('ETag', etag);
    expect(await etagOf('/own/things/1')).toBe(etag);
  });

  it('changes with the representation', async () => {
    const etag = await etagOf('/things/1');
    names.set(1, 'mug');
    expect(await etagOf('/things/1')).not.toBe(etag);
  });

  it('of the OpenAPI document is strong too', async () => {
    const { headers } = await raw('/openapi.json');
    expect(headers).toMatchObject({ etag: expect.stringMatching(/^"/), 'cache-control': 'no-cache' });
    expect((await raw('/openapi.json', { 'if-none-match': String(headers.etag) })).status).toBe(304);
  });

  it.each(['/health', '/ready'])('is not on %s', async (path) => {
    expect((await app.http.get(path).expect(200)).headers.etag).toBeUndefined();
  });
});

describe('If-None-Match', () => {
  it.each([
    ['the tag', (etag: string) => etag, 304],
    ['the tag, weak', (etag: string) => `W/${etag}`, 304],
    ['a list with the tag', (etag: string) => `"other", ${etag}`, 304],
    ['any', () => '*', 304],
    ['another tag', () => '"other"', 200],
    ['a tag without quotes', (etag: string) => etag.replaceAll('"', ''), 200],
  ])('%s: %#', async (_, condition, status) => {
    const etag = await etagOf('/things/1');
    await app.http.get('/things/1').set('If-None-Match', condition(etag)).expect(status).expect('ETag', etag);
    await app.http.head('/things/1').set('If-None-Match', condition(etag)).expect(status);
  });

  it('gets a 304 with ETag, Cache-Control, Vary and CORS headers, and nothing about a body', async () => {
    const headers = { ...user.auth, origin: SHOP, 'if-none-match': await etagOf('/own/things/1') };
    const response = await raw('/own/things/1', headers);
    expect(response.status).toBe(304);
    expect(response.headers).toMatchObject({
      etag: headers['if-none-match'],
      'cache-control': 'private, no-cache',
      vary: 'Origin',
      'access-control-allow-origin': SHOP,
      'access-control-expose-headers': expect.stringMatching(/(^|,)ETag(,|$)/),
    });
    for (const name of ['content-type', 'content-length', 'transfer-encoding']) {
      expect(response.headers[name]).toBeUndefined();
    }
    expect(response.body).toHaveLength(0);
  });

  it('is compared whatever the Cache-Control of the request: fetch adds `no-cache`', async () => {
    const response = await fetch(`${app.url}/things/1`, { headers: { 'if-none-match': await etagOf('/things/1') } });
    expect(response.status).toBe(304);
  });

  it('does not matter to an error', async () => {
    await app.http.get('/things/2').set('If-None-Match', '*').expect(404).expect('Cache-Control', 'no-store');
    await app.http.get('/own/things/1').set('If-None-Match', '*').expect(401);
  });

  it('may be sent from other origins, and so may If-Match', async () => {
    const { headers } = await app.http.options('/things/1').set({
      Origin: SHOP,
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': 'if-match, if-none-match',
    });
    expect(headers['access-control-allow-headers']).toBe('if-match, if-none-match');
  });
});

describe('a cached response', () => {
  it('has the same ETag, headers and bytes on a miss, a hit, a hit of another replica and without Redis', async () => {
    const seen = new Set<string>();
    const read = async (from: TestApp, cache: string) => {
      const { headers, text } = await from.http.get('/cached/1').expect(200);
      seen.add(JSON.stringify([headers.etag, headers.link, text]));
      return headers['x-cache'] === cache;
    };
    expect(await read(app, 'MISS')).toBe(true);
    // Other tests share this Redis, and each service that connects to it empties the cache.
    await eventually('a hit', () => read(app, 'HIT'));
    await eventually('a hit of the replica', () => read(replica, 'HIT'));
    expect(await read(withoutRedis, 'BYPASS')).toBe(true);
    expect(seen.size).toBe(1);
    expect([...seen][0]).toContain('</next>; rel=');
  });

  it('is revalidated, from the cache and without it', async () => {
    const etag = await etagOf('/cached/2');
    const revalidate = (from: TestApp) => from.http.get('/cached/2').set('If-None-Match', etag).expect(304, '');
    await eventually('a hit', async () => (await revalidate(app)).headers['x-cache'] === 'HIT');
    await revalidate(withoutRedis).expect('X-Cache', 'BYPASS');
  });
});

describe('compression', () => {
  it('gives long JSON another tag, and both tags are current', async () => {
    const [plain, compressed] = [await raw('/cached/3'), await raw('/cached/3', { 'accept-encoding': 'br, gzip' })];
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(compressed.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': String(compressed.body.length),
      etag: String(plain.headers.etag).replace(/"$/, '-gzip"'),
    });
    expect(gunzipSync(compressed.body)).toEqual(plain.body);
    expect(compressed.body.length).toBeLessThan(plain.body.length);
    for (const { headers } of [plain, compressed]) expect(headers.vary).toContain('Accept-Encoding');
    for (const { headers } of [plain, compressed]) {
      const conditions = { 'accept-encoding': 'gzip', 'if-none-match': String(headers.etag) };
      expect(await raw('/cached/3', conditions)).toMatchObject({ status: 304, headers: { etag: headers.etag } });
    }
  });

  it('is not used for a client that cannot decompress, not even for its old copy', async () => {
    const compressed = await raw('/cached/3', { 'accept-encoding': 'gzip' });
    const response = await raw('/cached/3', { 'if-none-match': String(compressed.headers.etag) });
    expect([response.status, response.headers['content-encoding']]).toEqual([200, undefined]);
    expect((await raw('/cached/3', { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined();
  });

  it('HEAD has the headers of GET', async () => {
    for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
      const [get, head] = [await raw('/cached/3', headers), await raw('/cached/3', headers, 'HEAD')];
      for (const name of [
        'etag',
        'content-type',
        'content-length',
        'content-encoding',
        'vary',
        'cache-control',
        'link',
      ]) {
        expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
      }
    }
  });

  it('leaves short JSON and responses to writes alone', async () => {
    const accepting = { 'accept-encoding': 'gzip' };
    for (const response of [await raw('/things/1', accepting), await raw('/secrets', accepting, 'POST')]) {
      expect(response.status).toBe(200);
      expect(response.headers['content-encoding']).toBeUndefined();
    }
  });
});

describe('Cache-Control', () => {
  it.each([
    ['get', '/things/1', 200, 'no-cache'],
    ['get', '/own/things/1', 200, 'private, no-cache'],
    ['get', '/cached/1', 200, 'no-cache'],
    ['post', '/secrets', 200, 'no-store'],
    ['get', '/things/2', 404, 'no-store'],
    ['get', '/things/x', 400, 'no-store'],
  ] as const)('of %s %s (%d) is %s, with a token', async (method, path, status, value) => {
    await app.http[method](path).set(user.auth).expect(status).expect('Cache-Control', value);
  });

  it('of a 204 is no-store, and there is no ETag outside of GET', async () => {
    const put = app.http.put('/own/things/1').set(user.auth).send({ name: 'mug' });
    expect((await put.expect(204).expect('Cache-Control', 'no-store')).headers.etag).toBeUndefined();
    expect((await app.http.post('/secrets').expect(200)).headers.etag).toBeUndefined();
  });
});

describe('If-Match', () => {
  const put = (condition: string, name = 'mug', path = '/own/things/1') =>
    app.http.put(path).set(user.auth).set('If-Match', condition).send({ name });

  it.each([
    ['the tag', (etag: string) => etag, 204],
    ['the tag of the compressed representation', (etag: string) => etag.replace(/"$/, '-gzip"'), 204],
    ['a list with the tag', (etag: string) => `"other", ${etag}`, 204],
    ['any', () => '*', 204],
    ['another tag', () => '"other"', 412],
    ['the tag, weak', (etag: string) => `W/${etag}`, 412],
    ['a tag without quotes', (etag: string) => etag.replaceAll('"', ''), 412],
    ['nothing', () => '', 412],
  ])('%s: %#', async (_, condition, status) => {
    const response = await put(condition(await etagOf('/own/things/1'))).expect(status);
    expect(names.get(1)).toBe(status === 204 ? 'mug' : 'cup');
    if (status === 412) {
      expect(response.body).toMatchObject({ status: 412, code: 'precondition_failed' });
      expect(response.headers['cache-control']).toBe('no-store');
    }
  });

  it('comes after 401, 400, 403 and 404, and before 409', async () => {
    await app.http.put('/own/things/1').set('If-Match', '"other"').send({ name: 'mug' }).expect(401);
    await app.http.put('/own/things/1').set(user.auth).set('If-Match', '"other"').send({}).expect(400);
    await put('"other"', 'forbidden').expect(403);
    await put('"other"', 'mug', '/own/things/2').expect(404);
    await put('*', 'mug', '/own/things/2').expect(404);
    await put('"other"', 'taken').expect(412);
    await put('*', 'taken').expect(409);
  });

  it('is in the OpenAPI document of an endpoint that declares it, with its 412, and ETag and 304 at each GET', async () => {
    const { paths, components } = (await app.http.get('/openapi.json').expect(200)).body;
    const { get, put: write } = paths['/own/things/{id}'];
    expect(write.parameters).toContainEqual({ $ref: '#/components/parameters/IfMatch' });
    expect(write.responses['412']).toEqual({ $ref: '#/components/responses/PreconditionFailed' });
    expect(get.parameters).toContainEqual({ $ref: '#/components/parameters/IfNoneMatch' });
    expect(get.responses['304']).toEqual({ $ref: '#/components/responses/NotModified' });
    expect(get.responses['200'].headers.ETag).toBeDefined();
    expect(components.parameters.IfMatch).toMatchObject({ in: 'header', name: 'if-match' });
    expect(paths['/secrets'].post.parameters).toBeUndefined();
  });
});
