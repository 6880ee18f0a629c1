import { authService } from '@shop/auth';
import { rows, samplesIn, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser, claimsOf, logIn, refresh } from '../../tests/people';
import { hashToken } from './opaque-token';

/** `REFRESH_ROUNDS=100 npx jest services/auth/src/sessions/refresh` measures. */
const ROUNDS = Number(process.env.REFRESH_ROUNDS ?? 5);

let app: TestApp;
let replica: TestApp;

beforeAll(async () => {
  [app, replica] = await Promise.all([startApp(authService), startApp(authService)]);
});
afterAll(() => Promise.all([app.close(), replica.close()]));

const refused = async (refreshToken: string) => {
  const { body } = await refresh(app, refreshToken)
    .expect(401)
    .expect('WWW-Authenticate', /^Bearer /);
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

/** Makes it look as if the token had been spent some seconds ago. */
const spentAgo = (refreshToken: string, seconds: number) =>
  rows('UPDATE refresh_tokens SET spent_at = spent_at - INTERVAL ? SECOND WHERE token_hash = ?', [
    seconds,
    hashToken(refreshToken),
  ]);
const familiesOf = async (userId: number) =>
  (await rows<{ family_id: string }>('SELECT DISTINCT family_id FROM refresh_tokens WHERE user_id = ?', [userId]))
    .length;
const next = async (refreshToken: string): Promise<string> =>
  (await refresh(app, refreshToken).expect(200)).body.refresh_token;

describe('a spent token that is used again', () => {
  test('within the grace period gives another token of the same session, and all of them go on working', async () => {
    const user = await aRegisteredUser(app);
    const first = user.set.refresh_token;
    const second = await next(first);
    await spentAgo(first, 8);
    const again = await next(first);
    expect(again).not.toBe(second);
    for (const token of [second, again]) await next(await next(token));
    expect(await familiesOf(user.id)).toBe(1);
  });

  test('in a branch of its own is not an ancestor of the other branch', async () => {
    const { refresh_token: first } = (await aRegisteredUser(app)).set;
    const [one, other] = [await next(first), await next(first)];
    await next(one);
    await next(other);
    await next(one);
  });

  test('after the grace period ends the whole session', async () => {
    const user = await aRegisteredUser(app);
    const first = user.set.refresh_token;
    const second = await next(first);
    await spentAgo(first, 11);
    await refused(first);
    await refused(second);
    expect(await liveTokens(user.id)).toEqual([]);
    expect(await rows('SELECT id FROM sessions WHERE user_id = ?', [user.id])).toEqual([]);
  });

  test('ends the whole session once its successor is used, at any time', async () => {
    const user = await aRegisteredUser(app);
    const first = user.set.refresh_token;
    const second = await next(first);
    const third = await next(second);
    await refused(first);
    await refused(third);
    await refused(second);
    expect(await liveTokens(user.id)).toEqual([]);
  });

  test('ends the session without a grace period', async () => {
    const strict = await startApp(authService, { REFRESH_GRACE_SECONDS: '0' });
    const user = await aRegisteredUser(strict);
    await refresh(strict, user.set.refresh_token).expect(200);
    await refresh(strict, user.set.refresh_token).expect(401);
    expect(await liveTokens(user.id)).toEqual([]);
    await strict.close();
  });

  test('and whose successor came from the release before, which records no parent, ends the session', async () => {
    const user = await aRegisteredUser(app);
    await next(user.set.refresh_token);
    await rows('UPDATE refresh_tokens SET parent_id = NULL WHERE user_id = ?', [user.id]);
    await refused(user.set.refresh_token);
  });

  test("does not affect the user's other sessions", async () => {
    const user = await aRegisteredUser(app);
    const other = (await logIn(app, user).expect(200)).body;
    await next(await next(user.set.refresh_token));
    await refused(user.set.refresh_token);
    await refresh(app, other.refresh_token).expect(200);
  });

  test(
    `by 20 callers at once, over two replicas, leaves each with a working session (${ROUNDS} rounds)`,
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const user = await aRegisteredUser(app);
        const first = user.set.refresh_token;
        const responses = await Promise.all(
          Array.from({ length: 20 }, (_, index) => refresh(index % 2 ? app : replica, first)),
        );
        expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200));
        const tokens: string[] = responses.map(({ body }) => body.refresh_token);
        expect(new Set(tokens).size).toBe(20);
        const refreshed = await Promise.all(tokens.map((token, index) => refresh(index % 2 ? replica : app, token)));
        expect(refreshed.map(({ status }) => status)).toEqual(Array(20).fill(200));
        expect(await familiesOf(user.id)).toBe(1);
        await refused(first);
        expect(await liveTokens(user.id)).toEqual([]);
      }
    },
    60_000 + ROUNDS * 5000,
  );
});

describe('the end of a session', () => {
  const DAY_MS = 86_400_000;
  const beganAgo = (userId: number, ms: number) =>
    rows('UPDATE sessions SET created_at = ? WHERE user_id = ?', [new Date(Date.now() - ms), userId]);

  test('comes 90 days after the login, and limits the refresh tokens before', async () => {
    const user = await aRegisteredUser(app);
    await beganAgo(user.id, 90 * DAY_MS - 60_000);
    const { body } = await refresh(app, user.set.refresh_token).expect(200);
    const left = Date.parse(body.refresh_expires_at) - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
    await beganAgo(user.id, 90 * DAY_MS + 1);
    await refused(body.refresh_token);
  });

  test('follows from SESSION_MAX_DAYS at login, too', async () => {
    const short = await startApp(authService, { SESSION_MAX_DAYS: '2' });
    const { set } = await aRegisteredUser(short);
    expect(Date.parse(set.refresh_expires_at) - Date.now()).toBeLessThanOrEqual(2 * DAY_MS);
    await short.close();
  });
});

test('counts refreshes by outcome', async () => {
  const counts = async (): Promise<Record<string, number>> => {
    const samples = (await samplesIn(app.resources.metrics)).filter(({ name }) => name === 'session_refreshes_total');
    return Object.fromEntries(samples.map(({ labels, value }) => [labels.outcome, value]));
  };
  const before = await counts();
  const { refresh_token: first } = (await aRegisteredUser(app)).set;
  const second = await next(first);
  await next(first);
  await next(second);
  await refused(first);
  await refused(first);
  const after = await counts();
  const added = Object.fromEntries(Object.entries(after).map(([key, value]) => [key, value - (before[key] ?? 0)]));
  expect(added).toEqual({ rotated: 2, rotated_again: 1, reused: 1, refused: 1 });
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
