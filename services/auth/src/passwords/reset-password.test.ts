import { authService } from '@shop/auth';
import { aUser, rows, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser, logIn, type Registered, refresh } from '../../tests/people';
import { createContext } from '../service';
import { hashToken } from '../sessions/opaque-token';
import { settings } from '../settings';
import type { PasswordHasher } from './password-hasher';
import { resetPassword } from './reset-password';

const PATH = '/api/v1/auth/reset-password';
const NEW = 'a newer password';
let app: TestApp;
let replica: TestApp;

beforeAll(async () => {
  [app, replica] = await Promise.all([startApp(authService), startApp(authService)]);
});
afterAll(() => Promise.all([app.close(), replica.close()]));

const reset = (token: unknown, password: unknown = NEW, where = app) => where.http.post(PATH).send({ token, password });
const refused = async (token: string) => {
  const { body } = await reset(token).expect(400);
  expect(body.code).toBe('invalid_token');
  expect(body.errors).toEqual([{ in: 'body', path: 'token', code: 'invalid_value', message: expect.any(String) }]);
};
const tokenFor = async ({ email }: { email: string }): Promise<string> =>
  (await app.http.post('/api/v1/auth/forgot-password').send({ email }).expect(200)).body.reset_token;
const liveSessions = (userId: number) =>
  rows('SELECT id FROM refresh_tokens WHERE user_id = ? AND spent_at IS NULL AND revoked_at IS NULL', [userId]);
const hashOf = async (userId: number) =>
  (await rows<{ password_hash: string | null }>('SELECT password_hash FROM users WHERE id = ?', [userId]))[0]
    ?.password_hash;

describe('resetting a password', () => {
  test('changes it on every replica: the old one no longer works', async () => {
    const user = await aRegisteredUser(app);
    await reset(await tokenFor(user)).expect(204, '');
    for (const where of [app, replica]) {
      await logIn(where, user).expect(401);
      await logIn(where, { ...user, password: NEW }).expect(200);
    }
    expect(await hashOf(user.id)).toMatch(/^\$2b\$10\$/);
  });

  test('ends all sessions of the user and no others', async () => {
    const [user, other] = [await aRegisteredUser(app), await aRegisteredUser(app)];
    const second = (await logIn(app, user).expect(200)).body;
    const rotated = (await refresh(app, second.refresh_token).expect(200)).body;
    await reset(await tokenFor(user)).expect(204);
    expect(await liveSessions(user.id)).toEqual([]);
    for (const { refresh_token } of [user.set, second, rotated]) await refresh(replica, refresh_token).expect(401);
    await refresh(replica, other.set.refresh_token).expect(200);
  });

  test.each([1, 2, 3])('leaves no session alive during concurrent refreshes (round %i)', async () => {
    const user = await aRegisteredUser(app);
    const sets = await Promise.all(
      [1, 2, 3, 4].map(async () => (await logIn(app, user).expect(200)).body.refresh_token as string),
    );
    const token = await tokenFor(user);
    const [response, ...refreshes] = await Promise.all([
      reset(token),
      ...sets.map((refreshToken, index) => refresh(index % 2 ? app : replica, refreshToken)),
    ]);
    expect(response?.status).toBe(204);
    expect(refreshes.filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
    expect(await liveSessions(user.id)).toEqual([]);
  });

  test('sets a first password for a user who signed up with Google', async () => {
    const user = await aUser();
    await reset(await tokenFor(user)).expect(204);
    await logIn(app, { ...user, password: NEW }).expect(200);
  });

  test('keeps the spaces of a password', async () => {
    const user = await aRegisteredUser(app);
    await reset(await tokenFor(user), '  blank  ').expect(204);
    await logIn(app, { ...user, password: '  blank  ' }).expect(200);
    await logIn(app, { ...user, password: 'blank' }).expect(401);
  });

  test('needs no access token and ignores an invalid one', async () => {
    const user = await aRegisteredUser(app);
    await reset(await tokenFor(user))
      .set('Authorization', 'Bearer nonsense')
      .expect(204);
  });
});

describe('a reset token', () => {
  test('works once', async () => {
    const user = await aRegisteredUser(app);
    const token = await tokenFor(user);
    await reset(token).expect(204);
    const spent = await reset(token, 'a third password').expect(400);
    expect(spent.body.code).toBe('invalid_token');
    await logIn(app, { ...user, password: NEW }).expect(200);
  });

  test('exactly one of several concurrent resets over two replicas succeeds, and its password is set', async () => {
    const user = await aRegisteredUser(app);
    const token = await tokenFor(user);
    const passwords = Array.from({ length: 8 }, (_, index) => `password number ${index}`);
    const responses = await Promise.all(
      passwords.map((password, index) => reset(token, password, index % 2 ? app : replica)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([204, ...Array(7).fill(400)]);
    const winner = passwords[responses.findIndex(({ status }) => status === 204)] ?? '';
    await logIn(app, { ...user, password: winner }).expect(200);
  });

  test('expires after an hour', async () => {
    const user = await aRegisteredUser(app);
    const token = await tokenFor(user);
    await rows('UPDATE password_resets SET expires_at = ? WHERE user_id = ?', [new Date(Date.now() - 1), user.id]);
    await refused(token);
    await logIn(app, user).expect(200);
    expect(await liveSessions(user.id)).toHaveLength(2);
  });

  test('can expire while the new password is being hashed', async () => {
    const user = await aRegisteredUser(app);
    const token = await tokenFor(user);
    const ctx = createContext(app.resources, settings.parse({ UPLOAD_PATH: '.' }));
    const passwordHasher: PasswordHasher = {
      ...ctx.passwordHasher,
      async hash(password, client) {
        const ended = new Date(Date.now() - 1);
        await rows('UPDATE password_resets SET expires_at = ? WHERE user_id = ?', [ended, user.id]);
        return await ctx.passwordHasher.hash(password, client);
      },
    };
    const client = { ip: '127.0.0.1', userAgent: undefined, requestId: 'test' };
    const slowReset = resetPassword({ ...ctx, passwordHasher }, { token, password: NEW }, client);
    await expect(slowReset).rejects.toMatchObject({ code: 'invalid_token' });
    await logIn(app, user).expect(200);
    expect(await liveSessions(user.id)).toHaveLength(2);
  });

  test('works until it expires', async () => {
    const user = await aRegisteredUser(app);
    const token = await tokenFor(user);
    await rows('UPDATE password_resets SET expires_at = ? WHERE user_id = ?', [new Date(Date.now() + 60_000), user.id]);
    await reset(token).expect(204);
  });

  test('stays valid after a refused password', async () => {
    const user = await aRegisteredUser(app);
    const token = await tokenFor(user);
    const { body } = await reset(token, 'short').expect(400);
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ in: 'body', path: 'password' }] });
    await reset(token).expect(204);
  });

  test.each<[string, (user: Registered) => Promise<string> | string]>([
    ['unknown', () => 'x'.repeat(43)],
    ['a refresh token', ({ set }) => set.refresh_token],
    ['an access token', ({ set }) => set.token],
    ['the hash of a valid one', async (user) => hashToken(await tokenFor(user))],
    ['a valid one in another case', async (user) => swapCase(await tokenFor(user))],
  ])('is refused when it is %s', async (_title, make) => {
    const user = await aRegisteredUser(app);
    const before = await hashOf(user.id);
    await refused(await make(user));
    expect(await hashOf(user.id)).toBe(before);
  });

  test.each([
    [{}, ['password', 'token']],
    [{ token: '', password: 'x'.repeat(257) }, ['password', 'token']],
    [{ token: 0, password: NEW }, ['token']],
    [{ token: false, password: NEW }, ['token']],
    [{ token: { like: '%' }, password: NEW }, ['token']],
    [{ token: 'x', password: ['a newer password'] }, ['password']],
    [{ token: 'x', password: 'a\0bcdefghij' }, ['password']],
    [{ token: 'x', password: NEW, user_id: 1 }, ['user_id']],
  ])('and the other fields are validated: %j', async (body, fields) => {
    const response = await app.http.post(PATH).send(body).expect(400);
    const paths = response.body.errors.map(({ path }: { path: string }) => path);
    expect([...new Set(paths)].sort()).toEqual(fields);
  });
});

const swapCase = (token: string): string =>
  [...token].map((sign) => (sign === sign.toLowerCase() ? sign.toUpperCase() : sign.toLowerCase())).join('');
