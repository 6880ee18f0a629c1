import { authService } from '@shop/auth';
import { aUser, rows, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser, logIn, refresh } from '../../tests/people';

let app: TestApp;

beforeAll(async () => {
  app = await startApp(authService);
});
afterAll(() => app.close());

const logOut = (body: object) => app.http.post('/api/v1/auth/logout').send(body);
const logOutEverywhere = (auth: { Authorization: string }, body?: object) =>
  app.http.post('/api/v1/auth/logout/all').set(auth).send(body);
const liveTokens = (userId: number) =>
  rows('SELECT id FROM refresh_tokens WHERE user_id = ? AND revoked_at IS NULL', [userId]);

describe('logging out', () => {
  test('revokes the token and can be repeated', async () => {
    const user = await aRegisteredUser(app);
    for (let round = 0; round < 2; round += 1) {
      const response = await logOut({ refresh_token: user.set.refresh_token }).expect(204);
      expect(response.text).toBe('');
    }
    await refresh(app, user.set.refresh_token).expect(401);
    expect(await liveTokens(user.id)).toEqual([]);
  });

  test('responds 204 to an unknown token', () => logOut({ refresh_token: 'unknown' }).expect(204));

  test('ends this session and no other', async () => {
    const user = await aRegisteredUser(app);
    const other = (await logIn(app, user).expect(200)).body;
    await logOut({ refresh_token: user.set.refresh_token }).expect(204);
    await refresh(app, other.refresh_token).expect(200);
  });

  test('also revokes the token of a concurrent refresh', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = await aRegisteredUser(app);
      const { refresh_token } = user.set;
      const [, loggedOut] = await Promise.all([refresh(app, refresh_token), logOut({ refresh_token })]);
      expect(loggedOut.status).toBe(204);
      expect(await liveTokens(user.id)).toEqual([]);
    }
  });

  test.each([{}, { refresh_token: 5 }, { refresh_token: ' ' }, { refresh_token: 'x', all: true }])(
    'refuses %j',
    (body) => logOut(body).expect(400),
  );
});

describe('logging out everywhere', () => {
  test.each([undefined, {}])('ends all sessions of the caller, with the body %j', async (body) => {
    const [user, other] = [await aRegisteredUser(app), await aRegisteredUser(app)];
    await logIn(app, user).expect(200);
    await logOutEverywhere(user.auth, body).expect(204);
    expect(await liveTokens(user.id)).toEqual([]);
    await refresh(app, user.set.refresh_token).expect(401);
    await refresh(app, other.set.refresh_token).expect(200);
  });

  test('lets an admin end the sessions of another user, and their own only by id', async () => {
    const [user, admin] = [await aRegisteredUser(app), await aUser({ role: 'admin' })];
    await logOutEverywhere(admin.auth).expect(204);
    expect(await liveTokens(user.id)).toHaveLength(1);
    await logOutEverywhere(admin.auth, { user_id: user.id }).expect(204);
    expect(await liveTokens(user.id)).toEqual([]);
  });

  test('responds 403 when a user names another user', async () => {
    const [user, other] = [await aRegisteredUser(app), await aRegisteredUser(app)];
    await logOutEverywhere(user.auth, { user_id: user.id }).expect(204);
    expect((await logOutEverywhere(user.auth, { user_id: other.id }).expect(403)).body.code).toBe('forbidden');
    expect(await liveTokens(other.id)).toHaveLength(1);
  });

  test('responds 404 when an admin names an unknown user', async () => {
    const admin = await aUser({ role: 'admin' });
    const { body } = await logOutEverywhere(admin.auth, { user_id: 999_999_999 }).expect(404);
    expect(body.code).toBe('not_found');
  });

  test('responds 401 without a token', () => app.http.post('/api/v1/auth/logout/all').expect(401));

  test.each([{ user_id: '1' }, { user_id: 0 }, { user_id: 1.5 }, { user: 1 }, []])('refuses %j', async (body) => {
    await logOutEverywhere((await aUser()).auth, body).expect(400);
  });
});
