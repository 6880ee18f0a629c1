import { accessTokenIssuer, secretKey } from '@shop/core/auth';
import { type ServiceName, serviceNames } from '@shop/test-servers';
import { Redis } from 'ioredis';
import { aPerson } from '../services/auth/tests/people';
import { eventually } from './support/eventually';
import { JWT_SECRET } from './support/test-app';
import { call, startTestFleet, type TestFleet } from './support/test-fleet';

/** What ends access tokens ends them on all services within 5 s, whatever the state of Redis. */

const API = '/api/v1';
/** `REVOCATION_ROUNDS=50 npx jest tests/revocation.test.ts` measures. Each round ends tokens in the next way. */
const ROUNDS = Number(process.env.REVOCATION_ROUNDS ?? 5);
const LIMIT_MS = 5000;
const admin = accessTokenIssuer(secretKey(JWT_SECRET)).issue({ id: 1, role: 'admin' }).token;

let shop: TestFleet;

beforeAll(async () => {
  shop = await startTestFleet();
});
afterAll(() => shop?.stop());

const url = (service: ServiceName, path: string) => shop.fleet.instance(service).url + API + path;
const reads: Record<ServiceName, string> = {
  auth: '/auth/me',
  product: '/products',
  transaction: '/transactions',
  address: '/addresses',
  store: '/stores',
  file: '/files',
};
const read = async (service: ServiceName, token: string) =>
  (await call('GET', url(service, reads[service]), { token })).status;

interface Session {
  id: number;
  email: string;
  password: string;
  token: string;
  refresh_token: string;
}

async function post(path: string, json: object, token?: string): Promise<Record<string, unknown>> {
  const { status, body } = await call('POST', url('auth', path), { json, token });
  if (status >= 300) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

async function aSession(): Promise<Session> {
  const person = aPerson();
  const set = await post('/auth/register', person);
  const token = String(set.token);
  const { body } = await call('GET', url('auth', '/auth/me'), { token });
  return { ...person, id: Number(body.id), token, refresh_token: String(set.refresh_token) };
}

const setRole = async ({ id }: Session, role: string) => {
  const { status } = await call('PUT', url('auth', `/auth/users/${id}`), { token: admin, json: { role } });
  expect(status).toBe(204);
};

/** What ends the session's access token, by name. */
const ways: [string, (session: Session) => Promise<unknown>][] = [
  ['a logout', ({ refresh_token }) => post('/auth/logout', { refresh_token })],
  ['a logout everywhere', ({ token }) => post('/auth/logout/all', {}, token)],
  ['a role change', (session) => setRole(session, 'admin')],
  [
    'a password reset',
    async ({ email }) => {
      const { reset_token: token } = await post('/auth/forgot-password', { email });
      await post('/auth/reset-password', { token, password: 'another password' });
    },
  ],
  [
    'ending it in the list of sessions',
    async ({ token }) => {
      const { body } = await call('GET', url('auth', '/auth/me/sessions'), { token });
      const [{ id } = { id: 0 }] = body.data as { id: number }[];
      expect((await call('DELETE', url('auth', `/auth/me/sessions/${id}`), { token })).status).toBe(204);
    },
  ],
];

/** Reads until the token is refused. @returns the milliseconds since `from` */
async function refusedAfter(service: ServiceName, token: string, from: number): Promise<number> {
  await eventually(`${service} to refuse the token`, async () => {
    const status = await read(service, token);
    expect([service, [200, 401].includes(status)]).toEqual([service, true]);
    return status === 401;
  });
  return performance.now() - from;
}

const states: [string, () => Promise<unknown>][] = [
  ['up', async () => undefined],
  ['down', () => shop.redis.kill()],
  ['frozen', async () => shop.redis.pause()],
  [
    'flushed',
    async () => {
      const client = new Redis(shop.redis.port, shop.redis.host);
      await client.flushall();
      client.disconnect();
    },
  ],
];

describe.each(states)('with Redis %s', (_state, enter) => {
  afterAll(async () => {
    shop.redis.resume();
    await shop.redis.start();
  });

  test(
    `an ended access token is refused by all services within 5 s (${ROUNDS} rounds)`,
    async () => {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const [, endToken] = ways[round % ways.length] ?? [];
        const session = await aSession();
        for (const service of serviceNames)
          expect([service, await read(service, session.token)]).toEqual([service, 200]);
        await enter();
        await endToken?.(session);
        const ended = performance.now();
        times.push(...(await Promise.all(serviceNames.map((service) => refusedAfter(service, session.token, ended)))));
      }
      console.info(`Redis ${_state}: refused after at most ${Math.round(Math.max(...times))} ms`);
      expect(times.filter((ms) => ms > LIMIT_MS)).toEqual([]);
    },
    60_000 + ROUNDS * 10_000,
  );
});

test('after a role change the refresh token gives tokens with the new role, which work at once', async () => {
  const session = await aSession();
  await setRole(session, 'admin');
  await refusedAfter('auth', session.token, performance.now());
  const { token } = await post('/auth/refresh', { refresh_token: session.refresh_token });
  for (const service of serviceNames) expect([service, await read(service, String(token))]).toEqual([service, 200]);
  expect((await call('GET', url('auth', '/auth/users'), { token: String(token) })).status).toBe(200);
  await setRole(session, 'user');
  await refusedAfter('product', String(token), performance.now());
});

test('after a logout everywhere, the token of a new login works at once', async () => {
  const session = await aSession();
  await post('/auth/logout/all', {}, session.token);
  const { token } = await post('/auth/login', { email: session.email, password: session.password });
  await refusedAfter('auth', session.token, performance.now());
  for (const service of serviceNames) expect([service, await read(service, String(token))]).toEqual([service, 200]);
});

test('a token that names no session is ended by a logout everywhere', async () => {
  const { id } = await aSession();
  const { token } = accessTokenIssuer(secretKey(JWT_SECRET)).issue({ id, role: 'user' });
  expect(await read('auth', token)).toBe(200);
  await post('/auth/logout/all', {}, token);
  await Promise.all(serviceNames.map((service) => refusedAfter(service, token, performance.now())));
});
