import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { aUser, productionEnv, retries, retryWhileBusy, rows, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser, logIn } from '../../tests/people';
import { hashToken } from '../sessions/opaque-token';

let app: TestApp;
let replica: TestApp;

beforeAll(async () => {
  [app, replica] = await Promise.all([startApp(authService), startApp(authService)]);
});
afterAll(() => Promise.all([app.close(), replica.close()]));

const requestReset = (email: unknown, where = app) => where.http.post('/api/v1/auth/forgot-password').send({ email });
const reset = (token: string, password = 'a newer password') =>
  app.http.post('/api/v1/auth/reset-password').send({ token, password });
const resetsOf = (userId: number) =>
  rows<{ token_hash: string; expires_at: Date; created_at: Date }>(
    'SELECT token_hash, expires_at, created_at FROM password_resets WHERE user_id = ?',
    [userId],
  );

describe('requesting a reset token in development', () => {
  test('returns a token that expires in an hour and stores only its hash', async () => {
    const user = await aUser();
    const { body } = await requestReset(user.email).expect(200).expect('Cache-Control', 'no-store');
    expect(body).toEqual({ reset_token: expect.stringMatching(/^[\w-]{43}$/), expires_in: 3600 });
    const [row, ...others] = await resetsOf(user.id);
    expect(others).toEqual([]);
    expect(row?.token_hash).toBe(hashToken(body.reset_token));
    const seconds = (Number(row?.expires_at) - Number(row?.created_at)) / 1000;
    expect(Math.abs(seconds - 3600)).toBeLessThan(30);
  });

  test('does not change password and sessions until the token is used', async () => {
    const user = await aRegisteredUser(app);
    await requestReset(user.email).expect(200);
    await logIn(app, user).expect(200);
    await app.http.post('/api/v1/auth/refresh').send({ refresh_token: user.set.refresh_token }).expect(200);
  });

  test('ignores the case of the email address', async () => {
    const user = await aUser();
    await requestReset(`  ${user.email.toUpperCase()} `).expect(200);
    expect(await resetsOf(user.id)).toHaveLength(1);
  });

  test('responds 404 to an unknown email address', async () => {
    const { body } = await requestReset(`${randomUUID()}@example.com`).expect(404);
    expect(body.code).toBe('not_found');
    expect(body.reset_token).toBeUndefined();
  });

  test.each([undefined, '', 'nobody', 0, ['a@example.com'], 'a\0@example.com'])(
    'responds 400 to the email address %j',
    async (email) => {
      const { body } = await requestReset(email).expect(400);
      expect(new Set(body.errors.map(({ path }: { path: string }) => path))).toEqual(new Set(['email']));
    },
  );

  test('only the newest token works', async () => {
    const user = await aUser();
    const first = (await requestReset(user.email).expect(200)).body.reset_token;
    const second = (await requestReset(user.email).expect(200)).body.reset_token;
    expect((await reset(first).expect(400)).body.code).toBe('invalid_token');
    await reset(second).expect(204);
  });

  test('exactly one of several concurrent tokens works, over two replicas', async () => {
    const user = await aUser();
    const responses = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        retryWhileBusy(() => requestReset(user.email, index % 2 ? app : replica)),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200));
    const live = (await resetsOf(user.id)).map(({ token_hash }) => token_hash);
    expect(live).toHaveLength(1);
    const statuses: number[] = [];
    for (const { body } of responses) statuses.push((await reset(body.reset_token)).status);
    expect(statuses.sort()).toEqual([204, ...Array(7).fill(400)]);
  });

  test('concurrent requests of many users all succeed without a deadlock', async () => {
    const users = await Promise.all(Array.from({ length: 40 }, () => aUser()));
    const before = await retries(app.resources);
    const responses = await Promise.all(
      users.map(({ email }, index) => retryWhileBusy(() => requestReset(email, index % 2 ? app : replica))),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(40).fill(200));
    expect(await retries(app.resources)).toEqual(before);
  });
});

test.each(['testnet', 'production'])('%s never puts the token into a response', async (APP_ENV) => {
  const app = await startApp(authService, { ...(await productionEnv()), APP_ENV });
  try {
    for (const email of [(await aUser({ role: 'admin' })).email, `${randomUUID()}@example.com`]) {
      const { body } = await requestReset(email, app).expect(202);
      expect(body).toEqual({ expires_in: 3600 });
    }
  } finally {
    await app.close();
  }
});

test.each(['testnet', 'production'])('%s does not start without a mail server', async (APP_ENV) => {
  const env = { ...(await productionEnv()), APP_ENV, SMTP_HOST: '' };
  await expect(startApp(authService, env)).rejects.toThrow(/SMTP_HOST: is required outside the local environment/);
});
