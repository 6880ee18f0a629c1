import { type Endpoint, endpoint, ok } from '@shop/core/http';
import type { Resources } from '@shop/core/service';
import {
  adHoc,
  aUser,
  type CapturedLog,
  capturedLog,
  eventually,
  exampleService,
  exampleTag,
  startApp,
  type TestApp,
} from '@shop/testing';
import { z } from 'zod';

const CANARY = 'canary-4f1d';
const person = z.object({ id: z.int(), name: z.string() });

const endpoints = ({ db }: Resources): Endpoint[] => {
  const get = (path: string, load: () => Promise<unknown>): Endpoint =>
    endpoint({
      method: 'get',
      path,
      tag: exampleTag,
      summary: path,
      access: 'public',
      responses: { 200: person },
      // Simulates a careless handler or a new column, which the compiler cannot detect.
      handler: async () => ok((await load()) as z.input<typeof person>),
    });
  return [
    get('/extra', async () => ({ id: 1, name: 'A', password_hash: CANARY })),
    get('/missing', async () => ({ id: 1, secret: CANARY })),
    get('/wrong-type', async () => ({ id: '1', name: CANARY })),
    {
      ...get('/nothing', async () => undefined),
      handler: async () => undefined,
    },
    get('/throws', async () => {
      throw new Error(`cannot open /etc/${CANARY}`);
    }),
    get('/throws-text', async () => {
      throw CANARY;
    }),
    get('/sql', () => db.rows(adHoc('SELECT no_such_function(?) FROM users WHERE name = ?', [CANARY, CANARY]))),
    get('/sql/syntax', () => db.rows(adHoc(`SELEKT ${CANARY}`))),
    get('/sql/duplicate', async () => {
      const user = await aUser();
      return db.write(adHoc('INSERT INTO users (name, email) VALUES (?, ?)', [CANARY, user.email]));
    }),
    endpoint({
      method: 'post',
      path: '/secrets',
      tag: exampleTag,
      summary: 'Accepts secrets',
      access: 'user',
      body: z.strictObject({ password: z.string(), refresh_token: z.string() }),
      responses: { 200: z.object({ token: z.string() }) },
      handler: async ({ body }) => {
        if (body.password === 'fail') throw new Error('broken');
        return ok({ token: body.refresh_token });
      },
    }),
  ];
};

let app: TestApp;
let log: CapturedLog;
beforeAll(async () => {
  log = capturedLog('trace');
  app = await startApp(exampleService(endpoints), {}, log.logger);
});
afterAll(() => app.close());

const logged = async (id: string) => {
  const find = () => log.lines().find((line) => line.request_id === id);
  await eventually(`the log line of ${id}`, find);
  return find() ?? {};
};

it('a field that the schema does not name is removed', async () => {
  const response = await app.http.get('/extra').expect(200);
  expect(response.body).toEqual({ id: 1, name: 'A' });
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
});

describe('a bug', () => {
  it.each(['/missing', '/nothing', '/wrong-type', '/throws', '/throws-text', '/sql/syntax', '/sql/duplicate', '/sql'])(
    'in %s is logged in full, and the client sees no details',
    async (path) => {
      const response = await app.http.get(path);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(response.body).toEqual({
        type: path === '/sql' ? '/docs/errors/schema_missing' : '/docs/errors/internal_error',
        title: expect.any(String),
        status: response.status,
        detail: expect.any(String),
        code: path === '/sql' ? 'schema_missing' : 'internal_error',
        request_id: response.headers['x-request-id'],
      });
      expect(response.status).toBe(path === '/sql' ? 503 : 500);
      const text = JSON.stringify({ ...response.body, type: '' });
      expect(text).not.toMatch(/canary|SELECT|SELEKT|INSERT|users|\.ts|\/(?!problem)|Error:/i);
      expect(await logged(response.body.request_id)).toMatchObject({
        level: 'error',
        status: response.status,
        route: path,
        err: { message: expect.any(String) },
      });
    },
  );
});

describe('the log', () => {
  it('has one line per request, with its id, route, status, duration and caller', async () => {
    const user = await aUser();
    const id = `log-${user.id}`;
    await app.http
      .post('/secrets')
      .set(user.auth)
      .set('X-Request-Id', id)
      .send({ password: 'x', refresh_token: 'y' })
      .expect(200);
    expect(await logged(id)).toEqual({
      level: 'info',
      time: expect.stringMatching(/Z$/),
      service: 'example',
      request_id: id,
      method: 'POST',
      route: '/secrets',
      status: 200,
      client_ip: '127.0.0.1',
      duration_ms: expect.any(Number),
      user_id: user.id,
      msg: 'request',
    });
    expect(log.lines().filter((line) => line.request_id === id)).toHaveLength(1);
  });

  it("has the client's IP address, from X-Forwarded-For only if the peer is in TRUST_PROXY", async () => {
    const behindProxy = await startApp(exampleService(endpoints), { TRUST_PROXY: '127.0.0.1' }, log.logger);
    for (const [id, { http }] of Object.entries({ 'client-1': app, 'client-2': behindProxy })) {
      await http.get('/no/such/route').set('X-Forwarded-For', '203.0.113.7').set('X-Request-Id', id).expect(404);
    }
    await behindProxy.close();
    expect(await logged('client-1')).toMatchObject({ client_ip: '127.0.0.1' });
    expect(await logged('client-2')).toMatchObject({ client_ip: '203.0.113.7' });
  });

  it('never contains a password, a token or the Authorization header', async () => {
    const user = await aUser();
    const secrets = ['s3cret-password', 's3cret-refresh', user.token, 's3cret-cookie', 's3cret-query'];
    const bodies = [
      { password: secrets[0], refresh_token: secrets[1] },
      { password: 'fail', refresh_token: secrets[1] },
      { password: [secrets[0]], refresh_token: 7, [`${secrets[1]}`]: 1 },
    ];
    for (const body of bodies) {
      await app.http.post(`/secrets?token=${secrets[4]}`).set(user.auth).set('Cookie', `a=${secrets[3]}`).send(body);
    }
    await app.http
      .post('/secrets')
      .set('Content-Type', 'application/json')
      .set(user.auth)
      .send(`{"password":"${secrets[0]}`);
    await app.http.post('/secrets').set('Authorization', `Bearer ${user.token}x`).send({});
    await app.http.get(`/nothing/${secrets[4]}?token=${secrets[4]}`);
    app.resources.logger.warn(
      { headers: { authorization: secrets[2] }, password: secrets[0], body: { token: secrets[1] } },
      'x',
    );
    const last = (await app.http.get('/extra')).headers['x-request-id'] ?? '';
    await logged(last);
    expect(log.text()).toContain('"broken"');
    for (const secret of secrets) expect(log.text()).not.toContain(secret);
    expect(log.text()).not.toMatch(/"sql"|Bearer/);
  });

  it('has one line per request whatever the client sends', async () => {
    await app.http.get('/nothing%0a{"level":"fatal"}').set('User-Agent', 'x{"y":1}').expect(404);
    expect(() => log.lines()).not.toThrow();
  });
});
