import { authService } from '@shop/auth';
import type { Env } from '@shop/core/config';
import { productService } from '@shop/product';
import { figure, samplesIn, startApp, type TestApp } from '@shop/testing';
import { aPerson } from '../services/auth/tests/people';
import { eventually } from './support/eventually';
import { type PacedLoad, pacedLoad } from './support/paced-load';
import { call } from './support/test-fleet';

/** The steps of docs/guides/key-rotation.md, replica by replica, with customers who read and refresh their sessions. */

const API = '/api/v1';
const PER_SECOND = 100;
const SESSIONS = 8;
const OLD = 'the-old-secret-of-the-rotation-test-0123456789';
const NEW = 'the-new-secret-of-the-rotation-test-0123456789';

const services = {
  auth: (secrets: Env) => startApp(authService, secrets),
  product: (secrets: Env) => startApp(productService, secrets),
};
type Name = keyof typeof services;

/** The replicas that get requests. */
const live: Record<Name, TestApp[]> = { auth: [], product: [] };
const start = async (name: Name, secrets: Env) => {
  live[name].push(await services[name](secrets));
};
let turn = 0;
const urlOf = (name: Name): string => {
  const replicas = live[name];
  turn += 1;
  return `${replicas[turn % replicas.length]?.url}${API}`;
};

let load: PacedLoad | undefined;
afterEach(async () => {
  await load?.stop();
  await Promise.all([...live.auth, ...live.product].map((app) => app.close()));
});

/** Replaces each replica by one with these secrets, as a rolling update does: the old one finishes its requests first. */
async function roll(secrets: Env, reads: PacedLoad): Promise<void> {
  const someReads = () => {
    const served = reads.results.length;
    return eventually('more reads', () => reads.results.length > served + PER_SECOND / 2);
  };
  for (const name of ['auth', 'product'] as const) {
    for (const old of [...live[name]]) {
      await start(name, secrets);
      await someReads();
      live[name] = live[name].filter((app) => app !== old);
      // Until then, requests that were sent to the old replica have arrived there.
      await someReads();
      await eventually(
        'the last response',
        async () => figure(await samplesIn(old.resources.metrics), 'http_requests_in_flight') === 0,
      );
      await old.close();
    }
  }
}

interface Tokens {
  token: string;
  refresh_token: string;
}

const post = async (route: string, json: object): Promise<Tokens> => {
  for (;;) {
    const { status, body } = await call('POST', `${urlOf('auth')}/auth/${route}`, { json });
    if (status <= 201) return body as unknown as Tokens;
    // A busy machine asks for a retry. That has nothing to do with the keys.
    if (body.code !== 'database_busy' && body.code !== 'overloaded')
      throw new Error(`${route}: ${status} ${JSON.stringify(body)}`);
  }
};
const keyOf = ({ token }: Tokens): unknown =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;

/** Refreshes the sessions one after the other, until it is stopped or a refresh fails. */
function keepRefreshing(sessions: Tokens[]): { failures: string[]; stop(): Promise<void> } {
  const failures: string[] = [];
  let running = true;
  const refreshed = (async () => {
    for (let index = 0; running && failures.length === 0; index = (index + 1) % sessions.length) {
      const { refresh_token } = sessions[index] as Tokens;
      await post('refresh', { refresh_token }).then(
        (tokens) => {
          sessions[index] = tokens;
        },
        (error) => failures.push(String(error.cause ?? error)),
      );
    }
  })();
  return {
    failures,
    stop() {
      running = false;
      return refreshed;
    },
  };
}

test('replacing the secret under load refuses no request and ends no session', async () => {
  for (const name of ['auth', 'product', 'auth', 'product'] as const) await start(name, { JWT_SECRET: OLD });
  const person = aPerson();
  const { email, password } = person;
  const first = await post('register', person);
  const sessions = [first];
  while (sessions.length < SESSIONS) sessions.push(await post('login', { email, password }));

  const reads = pacedLoad(PER_SECOND, (number) => ({
    method: 'GET',
    url: number % 2 ? `${urlOf('auth')}/auth/me` : `${urlOf('product')}/products`,
    headers: { authorization: `Bearer ${sessions[number % SESSIONS]?.token}` },
    expected: 200,
  }));
  load = reads;
  const refreshes = keepRefreshing(sessions);
  const statusWith = async ({ token }: Tokens) => (await call('GET', `${urlOf('auth')}/auth/me`, { token })).status;

  await roll({ JWT_SECRET: OLD, JWT_SECRET_NEXT: NEW }, reads);
  await roll({ JWT_SECRET: NEW, JWT_SECRET_PREVIOUS: OLD }, reads);
  expect(await statusWith(first)).toBe(200);
  const isNew = (session: Tokens) => keyOf(session) !== keyOf(first);
  await eventually('tokens of the new secret', () => refreshes.failures.length > 0 || sessions.every(isNew));
  await roll({ JWT_SECRET: NEW }, reads);
  await refreshes.stop();
  expect(refreshes.failures).toEqual([]);

  const failures = (await reads.stop()).filter(({ status, request }) => status !== request.expected);
  expect(failures.map(({ at, status, body }) => `${at.toFixed(2)} s: ${status} ${body}`)).toEqual([]);
  // A key that was removed: what it has signed is worthless.
  expect(await statusWith(first)).toBe(401);
});
