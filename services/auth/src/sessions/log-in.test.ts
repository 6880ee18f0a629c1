import { authService } from '@shop/auth';
import { aUser, eventually, rows, startApp, type TestApp } from '@shop/testing';
import { aPerson, aRegisteredUser, claimsOf, logIn } from '../../tests/people';
import type { PasswordHasher } from '../passwords/password-hasher';
import { createContext } from '../service';
import { settings } from '../settings';
import { logIn as logInUseCase } from './log-in';

let app: TestApp;

beforeAll(async () => {
  app = await startApp(authService, { TRUST_PROXY: '127.0.0.1/32' });
});
afterAll(() => app.close());

const sessionsOf = (userId: number) =>
  rows<{ family_id: string }>('SELECT family_id FROM refresh_tokens WHERE user_id = ?', [userId]);

describe('logging in', () => {
  test('starts a new session', async () => {
    const user = await aRegisteredUser(app);
    const { body } = await logIn(app, user).expect(200).expect('Cache-Control', 'no-store');
    expect(claimsOf(body.token)).toMatchObject({ user_id: user.id, role: 'user' });
    const families = (await sessionsOf(user.id)).map(({ family_id }) => family_id);
    expect(new Set(families).size).toBe(2);
    await app.http.get('/api/v1/auth/me').set('Authorization', `Bearer ${body.token}`).expect(200);
  });

  test('ignores the case of the email address', async () => {
    const user = await aRegisteredUser(app);
    await logIn(app, { ...user, email: ` ${user.email.toUpperCase()} ` }).expect(200);
  });

  test('supports the seeded hash format ($2b$, cost 10) and returns the role', async () => {
    const user = await aRegisteredUser(app);
    await rows("UPDATE users SET role = 'admin' WHERE id = ?", [user.id]);
    const { body } = await logIn(app, user).expect(200);
    expect(claimsOf(body.token).role).toBe('admin');
  });

  test('deletes expired sessions and no others', async () => {
    const [user, other] = [await aRegisteredUser(app), await aRegisteredUser(app)];
    for (const table of ['refresh_tokens', 'sessions']) {
      await rows(`UPDATE ${table} SET expires_at = '2000-01-01' WHERE user_id = ?`, [other.id]);
    }
    await logIn(app, user).expect(200);
    expect(await sessionsOf(other.id)).toEqual([]);
    expect(await rows('SELECT id FROM sessions WHERE user_id = ?', [other.id])).toEqual([]);
    expect(await sessionsOf(user.id)).toHaveLength(2);
  });
});

describe('a login is refused', () => {
  test('with the same response to a wrong password, an unknown email address and an account without a password', async () => {
    const [user, passwordless] = [await aRegisteredUser(app), await aUser()];
    const responses = [
      await logIn(app, { ...user, password: 'a wrong password' }),
      await logIn(app, aPerson()),
      await logIn(app, { email: passwordless.email, password: 'a good password' }),
    ];
    for (const { status, headers, body } of responses) {
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe('Bearer realm="api"');
      expect({ ...body, request_id: '' }).toEqual({ ...responses[0]?.body, request_id: '' });
      expect(body.code).toBe('invalid_credentials');
    }
    expect(await sessionsOf(user.id)).toHaveLength(1);
  });

  test('in the same time for an unknown email address as for a wrong password', async () => {
    const user = await aRegisteredUser(app);
    const time = async (attempt: () => PromiseLike<unknown>) => {
      const start = performance.now();
      await attempt();
      return performance.now() - start;
    };
    const [wrong, unknown]: [number[], number[]] = [[], []];
    // Compares the fastest of each: other load on the machine can only add time.
    await eventually('the same time for both', async () => {
      wrong.push(await time(() => logIn(app, { ...user, password: 'a wrong password' })));
      unknown.push(await time(() => logIn(app, aPerson())));
      const ratio = Math.min(...unknown) / Math.min(...wrong);
      return wrong.length >= 5 && ratio > 0.5 && ratio < 2;
    });
  });

  test.each([72, 73])('if only the first 72 bytes of a password of %d match', async (length) => {
    const person = aPerson({ password: 'x'.repeat(length) });
    await app.http.post('/api/v1/auth/register').send(person).expect(201);
    await logIn(app, { ...person, password: 'x'.repeat(length + 1) }).expect(401);
    if (length > 72) await logIn(app, { ...person, password: 'x'.repeat(72) }).expect(401);
  });

  test('with a password of any length', async () => {
    const user = await aRegisteredUser(app);
    for (const password of ['x', 'x'.repeat(50_000)]) await logIn(app, { ...user, password }).expect(401);
  });

  test.each([
    [{ email: 'a@example.com' }, ['password']],
    [{ email: 'nobody', password: '' }, ['email', 'password']],
    [{ email: 'a@example.com', password: 'a\0b' }, ['password']],
    [{ email: { length: 5 }, password: 5 }, ['email', 'password']],
    [{ email: 'a@example.com', password: 'a good password', remember: true }, ['remember']],
  ])('if it is malformed: %j', async (body, fields) => {
    const response = await app.http.post('/api/v1/auth/login').send(body).expect(400);
    expect(response.body.errors.map(({ path }: { path: string }) => path)).toEqual(fields);
  });

  test('if the password is reset while it is being checked', async () => {
    const user = await aRegisteredUser(app);
    const { body } = await app.http.post('/api/v1/auth/forgot-password').send({ email: user.email }).expect(200);
    const reset = { token: body.reset_token, password: 'a newer password' };
    const ctx = createContext(app.resources, settings.parse({ UPLOAD_PATH: '.' }));
    const passwordHasher: PasswordHasher = {
      ...ctx.passwordHasher,
      async match(...args) {
        const match = await ctx.passwordHasher.match(...args);
        if (match !== 'none') await app.http.post('/api/v1/auth/reset-password').send(reset).expect(204);
        return match;
      },
    };
    const login = logInUseCase(
      { ...ctx, passwordHasher },
      { email: user.email, password: user.password },
      { ip: '127.0.0.1', userAgent: undefined, requestId: 'test' },
    );
    await expect(login).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect(await rows('SELECT id FROM refresh_tokens WHERE user_id = ? AND revoked_at IS NULL', [user.id])).toEqual([]);
    expect(await rows('SELECT id FROM sessions WHERE user_id = ?', [user.id])).toEqual([]);
  });
});

/** Far more than the queue holds: a busy machine compares some passwords before the last request arrives. */
const FLOOD = 200;

test('a flood of logins from one client gets 503 with Retry-After, and no other client does', async () => {
  const user = await aRegisteredUser(app);
  const from = (client: string, person = aPerson()) => logIn(app, person).set('X-Forwarded-For', client);
  const flood = Array.from({ length: FLOOD }, () => from('198.51.100.1'));
  const others = ['198.51.100.2', '198.51.100.3', '198.51.100.4'].map((client) => from(client, user));
  const responses = await Promise.all(flood);
  const shed = responses.filter(({ status }) => status === 503);
  expect(shed.length).toBeGreaterThan(0);
  expect(responses.filter(({ status }) => status === 401).length).toBe(FLOOD - shed.length);
  expect(shed[0]?.body.code).toBe('overloaded');
  expect(shed[0]?.headers['retry-after']).toBe('1');
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200, 200]);
});
