import { authService } from '@shop/auth';
import { rows, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser, claimsOf, logIn, refresh } from '../../tests/people';

let app: TestApp;
let replica: TestApp;

beforeAll(async () => {
  [app, replica] = await Promise.all([startApp(authService), startApp(authService)]);
});
afterAll(() => Promise.all([app.close(), replica.close()]));

const refused = async (refreshToken: string) => {
  const { body } = await refresh(app, refreshToken).expect(401).expect('WWW-Authenticate', 'Bearer');
  expect(body.code).toBe('invalid_refresh_token');
};
const liveTokens = (userId: number) =>
  rows('SELECT id FROM refresh_tokens WHERE user_id = ? AND spent_at IS NULL AND revoked_at IS NULL', [userId]);

describe('refreshing', () => {
  test('returns a new token set and spends the old token, repeatedly', async () => {
    const user = await aRegisteredUser(app);
    let set = user.set;
    for (let round = 0; round < 3; round += 1) {
      const { body } = await refresh(app, set.refresh_token).expect(200).expect('Cache-Control', 'no-store');
      expect(body.refresh_token).not.toBe(set.refresh_token);
      expect(claimsOf(body.token)).toMatchObject({ user_id: user.id, role: 'user' });
      set = body;
    }
    const family = await rows<{ family_id: string; spent_at: Date | null }>(
      'SELECT family_id, spent_at FROM refresh_tokens WHERE user_id = ? ORDER BY id',
      [user.id],
    );
    expect(new Set(family.map(({ family_id }) => family_id)).size).toBe(1);
    expect(family.map(({ spent_at }) => spent_at !== null)).toEqual([true, true, true, false]);
    await app.http.get('/api/v1/auth/me').set('Authorization', `Bearer ${set.token}`).expect(200);
  });

  test('uses the current role', async () => {
    const user = await aRegisteredUser(app);
    await rows("UPDATE users SET role = 'admin' WHERE id = ?", [user.id]);
    const { body } = await refresh(app, user.set.refresh_token).expect(200);
    expect(claimsOf(body.token).role).toBe('admin');
  });

  test('ignores an Authorization header', async () => {
    const user = await aRegisteredUser(app);
    await refresh(app, user.set.refresh_token).set('Authorization', 'Bearer nonsense').expect(200);
  });
});

describe('a spent token that is used again', () => {
  test('revokes the whole session', async () => {
    const user = await aRegisteredUser(app);
    const first = user.set.refresh_token;
    const second = (await refresh(app, first).expect(200)).body.refresh_token;
    const third = (await refresh(app, second).expect(200)).body.refresh_token;
    await refused(first);
    await refused(third);
    await refused(second);
    expect(await liveTokens(user.id)).toEqual([]);
  });

  test("does not affect the user's other sessions", async () => {
    const user = await aRegisteredUser(app);
    const other = (await logIn(app, user).expect(200)).body;
    await refresh(app, user.set.refresh_token).expect(200);
    await refused(user.set.refresh_token);
    await refresh(app, other.refresh_token).expect(200);
  });

  test.each([1, 2, 3])(
    'exactly one of several concurrent refreshes succeeds, over two replicas (round %i)',
    async () => {
      const user = await aRegisteredUser(app);
      const responses = await Promise.all(
        Array.from({ length: 10 }, (_, index) => refresh(index % 2 ? app : replica, user.set.refresh_token)),
      );
      const statuses = responses.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, ...Array(9).fill(401)]);
      expect(await rows('SELECT id FROM refresh_tokens WHERE user_id = ?', [user.id])).toHaveLength(2);
      expect(await liveTokens(user.id)).toEqual([]);
    },
  );
});

describe('a refresh is refused', () => {
  test('with an unknown token', () => refused('x'.repeat(43)));

  test('with an access token', async () => refused((await aRegisteredUser(app)).set.token));

  test('with the stored hash', async () => {
    const user = await aRegisteredUser(app);
    const [row] = await rows<{ token_hash: string }>('SELECT token_hash FROM refresh_tokens WHERE user_id = ?', [
      user.id,
    ]);
    await refused(row?.token_hash ?? '');
  });

  test('with an expired token', async () => {
    const user = await aRegisteredUser(app);
    await rows('UPDATE refresh_tokens SET expires_at = ? WHERE user_id = ?', [new Date(Date.now() - 1), user.id]);
    await refused(user.set.refresh_token);
  });

  test.each([
    {},
    { refresh_token: '' },
    { refresh_token: 0 },
    { refresh_token: ['x'] },
    { refresh_token: 'a\0b' },
    [],
    null,
  ])('if it is malformed: %j', async (body) => {
    const response = await app.http
      .post('/api/v1/auth/refresh')
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(body))
      .expect(400);
    expect(response.body.code).toBe('invalid_request');
  });
});
