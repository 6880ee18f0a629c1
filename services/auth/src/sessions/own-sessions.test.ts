import { authService } from '@shop/auth';
import { aUser, rows, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser, logIn, type Registered, refresh } from '../../tests/people';

let app: TestApp;

beforeAll(async () => {
  app = await startApp(authService, { TRUST_PROXY: '127.0.0.1' });
});
afterAll(() => app.close());

const SESSIONS = '/api/v1/auth/me/sessions';
const list = async ({ auth }: Pick<Registered, 'auth'>, query = '') =>
  (await app.http.get(`${SESSIONS}${query}`).set(auth).expect(200)).body;
const end = ({ auth }: Pick<Registered, 'auth'>, id: unknown) => app.http.delete(`${SESSIONS}/${id}`).set(auth);
const asEarlierRelease = (userId: number) => rows('DELETE FROM sessions WHERE user_id = ?', [userId]);

describe('the list of own sessions', () => {
  test('has one entry per login, newest first, and says which one is current', async () => {
    const user = await aRegisteredUser(app);
    await logIn(app, user).set('User-Agent', 'Phone/1.0').set('X-Forwarded-For', '198.51.100.7').expect(200);
    const { data, pagination } = await list(user);
    expect(pagination).toEqual({ page: 1, limit: 10, total: 2, next_cursor: null });
    expect(data).toEqual([
      {
        id: expect.any(Number),
        created_at: expect.stringMatching(/Z$/),
        last_used_at: data[0].created_at,
        ip: '198.51.100.7',
        user_agent: 'Phone/1.0',
        current: false,
      },
      expect.objectContaining({ current: true, ip: '127.0.0.1' }),
    ]);
    expect((await list(user, '?limit=1&page=2')).data).toEqual([data[1]]);
  });

  test('keeps the entry of a refreshed session and changes its last use', async () => {
    const user = await aRegisteredUser(app);
    const [before] = (await list(user)).data;
    await rows('UPDATE sessions SET last_used_at = created_at - INTERVAL 1 DAY WHERE id = ?', [before.id]);
    const { body } = await refresh(app, user.set.refresh_token).expect(200);
    const [after, ...others] = (await list({ auth: { Authorization: `Bearer ${body.token}` } })).data;
    expect(others).toEqual([]);
    expect(after).toEqual({ ...before, last_used_at: after.last_used_at });
    expect(after.last_used_at >= before.created_at).toBe(true);
  });

  test('shortens a long user agent', async () => {
    const user = await aRegisteredUser(app);
    await logIn(app, user).set('User-Agent', 'x'.repeat(2000)).expect(200);
    expect((await list(user)).data[0].user_agent).toBe('x'.repeat(255));
  });

  test("shows neither other users' sessions nor expired and revoked ones", async () => {
    const [user, other] = [await aRegisteredUser(app), await aRegisteredUser(app)];
    const expired = (await logIn(app, user).expect(200)).body;
    await rows("UPDATE refresh_tokens SET expires_at = '2000-01-01' WHERE user_id = ? ORDER BY id DESC LIMIT 1", [
      user.id,
    ]);
    expect(expired.token).toBeDefined();
    // The release before revokes only the tokens.
    await logIn(app, user).expect(200);
    await rows('UPDATE refresh_tokens SET revoked_at = NOW(3) WHERE user_id = ? ORDER BY id DESC LIMIT 1', [user.id]);
    expect((await list(user)).data).toEqual([expect.objectContaining({ current: true })]);
    expect((await list(other)).pagination.total).toBe(1);
  });

  test('shows a session that began with the release before', async () => {
    const user = await aRegisteredUser(app);
    await asEarlierRelease(user.id);
    expect((await list(user)).data).toEqual([expect.objectContaining({ ip: null, user_agent: null, current: true })]);
  });

  test('is empty for a token that belongs to no session', async () => {
    expect((await list(await aUser())).data).toEqual([]);
  });

  test('refuses a request without a token, and a wrong page', async () => {
    await app.http.get(SESSIONS).expect(401);
    await app.http
      .get(`${SESSIONS}?page=0`)
      .set((await aUser()).auth)
      .expect(400);
  });
});

describe('ending one of the own sessions', () => {
  test('is a logout of it and of no other', async () => {
    const user = await aRegisteredUser(app);
    const other = (await logIn(app, user).expect(200)).body;
    const [ended] = (await list(user)).data;
    await end(user, ended.id).expect(204);
    await refresh(app, other.refresh_token).expect(401);
    await refresh(app, user.set.refresh_token).expect(200);
    expect((await list(user)).data).toEqual([expect.objectContaining({ current: true })]);
    await end(user, ended.id).expect(404);
  });

  test("responds 404 to another user's session, also for an admin, and to an unknown one", async () => {
    const [user, other] = [await aRegisteredUser(app), await aRegisteredUser(app)];
    const [foreign] = (await list(other)).data;
    const admin = await aUser({ role: 'admin' });
    for (const caller of [user, admin]) {
      expect((await end(caller, foreign.id).expect(404)).body.code).toBe('not_found');
    }
    await end(user, 999_999_999).expect(404);
    await refresh(app, other.set.refresh_token).expect(200);
  });

  test('refuses a request without a token, and a wrong id', async () => {
    await app.http.delete(`${SESSIONS}/1`).expect(401);
    await end(await aUser(), 'x').expect(400);
  });
});

describe('a session that began with the release before', () => {
  test('can be refreshed, and then has a row', async () => {
    const user = await aRegisteredUser(app);
    await asEarlierRelease(user.id);
    await refresh(app, user.set.refresh_token).expect(200);
    expect(await rows('SELECT id FROM sessions WHERE user_id = ?', [user.id])).toHaveLength(1);
  });

  test('can be ended', async () => {
    const user = await aRegisteredUser(app);
    await asEarlierRelease(user.id);
    await app.http.post('/api/v1/auth/logout').send({ refresh_token: user.set.refresh_token }).expect(204);
    await refresh(app, user.set.refresh_token).expect(401);
  });
});
