import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { accessTokenIssuer, secretKey } from '@shop/core/auth';
import {
  aFreshDatabase,
  aUser,
  eventually,
  lockedRow,
  rows,
  startApp,
  type TestApp,
  testEnv,
  write,
} from '@shop/testing';
import { aRegisteredUser, claimsOf, logIn, refresh } from '../../tests/people';

const USERS = '/api/v1/auth/users';
const UNKNOWN = 999_999_999;
let app: TestApp;

beforeAll(async () => {
  app = await startApp(authService);
});
afterAll(() => app.close());

const userRow = async (id: number) =>
  (
    await rows<{ name: string; phone: string; role: string }>('SELECT name, phone, role FROM users WHERE id = ?', [id])
  )[0];

describe('getting a user', () => {
  test.each(['/api/v1/auth/users', '/api/v1/users'])('%s/:id responds to the user and to an admin', async (path) => {
    const [user, admin] = [await aRegisteredUser(app), await aUser({ role: 'admin' })];
    for (const { auth } of [user, admin]) {
      const { body } = await app.http.get(`${path}/${user.id}`).set(auth).expect(200);
      expect(body).toEqual({
        id: user.id,
        name: 'Ada',
        email: user.email,
        email_verified: false,
        phone: user.phone,
        role: 'user',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
    }
  });

  test.each(['/api/v1/auth/users', '/api/v1/users'])('%s/:id responds 403 to other users', async (path) => {
    const [user, other] = [await aUser(), await aUser()];
    await app.http
      .get(`${path}/${user.id}`)
      .expect(401)
      .expect('WWW-Authenticate', /^Bearer /);
    const { body } = await app.http.get(`${path}/${user.id}`).set(other.auth).expect(403);
    expect(body.code).toBe('forbidden');
    await app.http.get(`${path}/${UNKNOWN}`).set(other.auth).expect(404);
    await app.http.get(`${path}/1x`).set(other.auth).expect(400);
  });

  test('/me returns the caller', async () => {
    const user = await aUser({ name: 'Me' });
    const { body } = await app.http.get('/api/v1/auth/me').set(user.auth).expect(200);
    expect(body).toMatchObject({ id: user.id, name: 'Me', email: user.email });
    await app.http.get('/api/v1/auth/me').expect(401);
  });

  test('/me responds 401 if the user was deleted', async () => {
    const user = await aUser();
    await rows('DELETE FROM users WHERE id = ?', [user.id]);
    await app.http
      .get('/api/v1/auth/me')
      .set(user.auth)
      .expect(401)
      .expect('WWW-Authenticate', /^Bearer /);
  });
});

describe('listing users', () => {
  const list = async (query: Record<string, string | number>) => {
    const admin = await aUser({ role: 'admin' });
    return app.http.get(USERS).set(admin.auth).query(query);
  };
  const idsOf = (body: { data: { id: number }[] }) => body.data.map(({ id }) => id);

  test('returns pages, newest first', async () => {
    const name = `Group ${randomUUID()}`;
    const ids = [await aUser({ name }), await aUser({ name }), await aUser({ name })].map(({ id }) => id).reverse();
    const first = await list({ search: name, limit: 2 });
    expect(idsOf(first.body)).toEqual(ids.slice(0, 2));
    expect(first.body.pagination).toEqual({ page: 1, limit: 2, total: 3, next_cursor: expect.any(String) });
    expect(Object.keys(first.body.data[0])).not.toContain('password_hash');
    expect(idsOf((await list({ search: name, limit: 2, page: 2 })).body)).toEqual(ids.slice(2));
    const past = await list({ search: name, page: 9 });
    expect(past.body).toEqual({ data: [], pagination: { page: 9, limit: 10, total: 3, next_cursor: null } });
  });

  test('searches name and email address and ignores case', async () => {
    const user = await aUser({ name: `Zoë ${randomUUID()}` });
    const name = (await userRow(user.id))?.name ?? '';
    for (const search of [name.toUpperCase(), user.email.toUpperCase(), user.email.slice(2, 30)]) {
      expect(idsOf((await list({ search })).body)).toEqual([user.id]);
    }
  });

  test('distinguishes letters that only look alike', async () => {
    const mark = randomUUID();
    const user = await aUser({ name: `Zoë ${mark}` });
    expect(idsOf((await list({ search: `ZOË ${mark}` })).body)).toEqual([user.id]);
    expect(idsOf((await list({ search: `Zoe ${mark}` })).body)).toEqual([]);
  });

  test('matches % and _ literally', async () => {
    const mark = randomUUID();
    const user = await aUser({ name: `50%_\\ ${mark}` });
    await aUser({ name: `50xxx ${mark}` });
    expect(idsOf((await list({ search: `50%_\\ ${mark}` })).body)).toEqual([user.id]);
    expect((await list({ search: `%${mark.slice(0, 4)}%${mark}` })).body.pagination.total).toBe(0);
  });

  test('is only for admins', async () => {
    await app.http.get(USERS).expect(401);
    const { body } = await app.http
      .get(USERS)
      .set((await aUser()).auth)
      .expect(403);
    expect(body.code).toBe('forbidden');
  });

  test.each(['page=0', 'page=x', 'limit=101', 'limit=1.5', 'limit=1&limit=2'])('refuses %s', async (query) => {
    const admin = await aUser({ role: 'admin' });
    await app.http.get(`${USERS}?${query}`).set(admin.auth).expect(400);
  });
});

describe('changing a user', () => {
  const change = (id: number, body: object, auth: { Authorization: string }) =>
    app.http.put(`${USERS}/${id}`).set(auth).send(body);

  test('updates only the given fields', async () => {
    const user = await aUser({ name: 'Before' });
    await change(user.id, { name: ' After ' }, user.auth).expect(204);
    expect(await userRow(user.id)).toEqual({ name: 'After', phone: user.phone, role: 'user' });
    const phone = user.phone.replace('+', '+1 ');
    await change(user.id, { phone }, user.auth).expect(204);
    expect(await userRow(user.id)).toEqual({ name: 'After', phone: phone.replace(' ', ''), role: 'user' });
  });

  test('responds 204 when nothing changes', async () => {
    const user = await aUser({ name: 'Same' });
    await change(user.id, { name: 'Same', phone: user.phone }, user.auth).expect(204);
  });

  test('lets an admin change a role, which takes effect with the next refresh or login', async () => {
    const [user, admin] = [await aRegisteredUser(app), await aUser({ role: 'admin' })];
    await change(user.id, { role: 'admin' }, admin.auth).expect(204);
    expect((await userRow(user.id))?.role).toBe('admin');
    await app.http.get(USERS).set(user.auth).expect(403);
    const refreshed = await refresh(app, user.set.refresh_token).expect(200);
    expect(claimsOf(refreshed.body.token).role).toBe('admin');
    const loggedIn = await logIn(app, user).expect(200);
    await app.http.get(USERS).set('Authorization', `Bearer ${loggedIn.body.token}`).expect(200);
  });

  test('changes a role with If-Match once, also if two admins do it at once', async () => {
    const [user, ...admins] = [await aUser(), await aUser({ role: 'admin' }), await aUser({ role: 'admin' })];
    const { headers } = await app.http.get(`/api/v1/auth/users/${user.id}`).set(user.auth).expect(200);
    const both = await Promise.all(
      admins.map(({ auth }) => change(user.id, { role: 'admin' }, auth).set('If-Match', headers.etag ?? '')),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([204, 412]);
  });

  test('does not let a user change their own role', async () => {
    const user = await aUser();
    for (const body of [{ role: 'admin' }, { name: 'New', role: 'user' }]) {
      expect((await change(user.id, body, user.auth).expect(403)).body.code).toBe('forbidden');
    }
    expect(await userRow(user.id)).toMatchObject({ name: 'A Person', role: 'user' });
  });

  describe('reads the role of the caller from the database', () => {
    /** Demoted, with an access token from before the demotion. */
    const aDemotedAdmin = async () => {
      const admin = await aUser({ role: 'admin' });
      await rows("UPDATE users SET role = 'user' WHERE id = ?", [admin.id]);
      return admin;
    };

    test('a demoted admin can change neither their own role nor that of others', async () => {
      const [demoted, other] = [await aDemotedAdmin(), await aUser()];
      for (const [id, body] of [
        [demoted.id, { role: 'admin' }],
        [demoted.id, { name: 'New', role: 'user' }],
        [other.id, { role: 'admin' }],
        [other.id, { name: 'New', role: 'user' }],
      ] as const) {
        expect((await change(id, body, demoted.auth).expect(403)).body.code).toBe('forbidden');
      }
      for (const { id } of [demoted, other])
        expect(await userRow(id)).toMatchObject({ name: 'A Person', role: 'user' });
    });

    test('a demotion while the change waits for the rows counts, too', async () => {
      const [other, admin] = [await aUser(), await aUser({ role: 'admin' })];
      const lock = await lockedRow('users', other.id);
      const promotion = change(other.id, { role: 'admin' }, admin.auth).then(({ status }) => status);
      await eventually('the change to wait for the row', async () => {
        const waiting = await rows(
          "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%FROM users%FOR UPDATE%' AND id <> CONNECTION_ID()",
        );
        return waiting.length > 0;
      });
      await rows("UPDATE users SET role = 'user' WHERE id = ?", [admin.id]);
      await lock.release();
      expect(await promotion).toBe(403);
      expect(await userRow(other.id)).toMatchObject({ role: 'user' });
    });

    test('a new admin can change roles without a new access token', async () => {
      const [promoted, other] = [await aUser(), await aUser()];
      await rows("UPDATE users SET role = 'admin' WHERE id = ?", [promoted.id]);
      await change(other.id, { role: 'admin' }, promoted.auth).expect(204);
      expect((await userRow(other.id))?.role).toBe('admin');
    });

    test('a deleted admin gets 401', async () => {
      const [deleted, other] = [await aUser({ role: 'admin' }), await aUser()];
      await rows('DELETE FROM users WHERE id = ?', [deleted.id]);
      const { body } = await change(other.id, { role: 'admin' }, deleted.auth).expect(401);
      expect(body.code).toBe('unauthenticated');
      expect((await userRow(other.id))?.role).toBe('user');
    });

    test('a phone number in use also leaves the role unchanged', async () => {
      const [user, other, admin] = [await aUser(), await aUser(), await aUser({ role: 'admin' })];
      await change(user.id, { role: 'admin', phone: other.phone }, admin.auth).expect(409);
      expect(await userRow(user.id)).toMatchObject({ role: 'user', phone: user.phone });
    });
  });

  test('responds 403 to other users and 404 to an unknown id', async () => {
    const [user, other] = [await aUser(), await aUser()];
    await app.http.put(`${USERS}/${user.id}`).send({ name: 'New' }).expect(401);
    await change(user.id, { name: 'New' }, other.auth).expect(403);
    await change(UNKNOWN, { name: 'New' }, other.auth).expect(404);
    await change(UNKNOWN, { role: 'admin' }, (await aUser({ role: 'admin' })).auth).expect(404);
    expect((await userRow(user.id))?.name).toBe('A Person');
  });

  test('responds 409 to a phone number in use', async () => {
    const [user, other] = [await aUser(), await aUser()];
    const { body } = await change(user.id, { phone: other.phone }, user.auth).expect(409);
    expect(body.code).toBe('phone_taken');
    expect((await userRow(user.id))?.phone).toBe(user.phone);
  });

  test.each([{}, { email: 'new@example.com' }, { name: '' }, { name: null }, { phone: null }, { role: 'root' }, []])(
    'refuses %j',
    async (body) => {
      const admin = await aUser({ role: 'admin' });
      expect((await change(admin.id, body, admin.auth).expect(400)).body.code).toBe('invalid_request');
    },
  );
});

test('a token signed with another secret does not authenticate', async () => {
  const user = await aUser({ role: 'admin' });
  const { token } = accessTokenIssuer(secretKey('another-secret-0123456789-0123456789')).issue(user);
  await app.http.get(`${USERS}/${user.id}`).set('Authorization', `Bearer ${token}`).expect(401);
});

describe('the last admin', () => {
  let apart: TestApp;
  let replica: TestApp;
  let database: string;

  beforeAll(async () => {
    database = await aFreshDatabase();
    [apart, replica] = await Promise.all([
      startApp(authService, { DB_NAME: database }),
      startApp(authService, { DB_NAME: database }),
    ]);
  });
  beforeEach(() => rows(`DELETE FROM ${database}.users`));
  afterAll(() => Promise.all([apart.close(), replica.close()]));

  const anAdmin = async () => {
    const [name, email] = ['Admin', `${randomUUID()}@example.com`];
    const id = await write(`INSERT INTO ${database}.users (name, email, role) VALUES (?, ?, 'admin')`, [name, email]);
    const { token } = accessTokenIssuer(secretKey(testEnv().JWT_SECRET ?? '')).issue({ id, role: 'admin' });
    return { id, auth: { Authorization: `Bearer ${token}` } };
  };
  type Admin = Awaited<ReturnType<typeof anAdmin>>;
  const demote = (by: Admin, whom: Admin, where = apart) =>
    where.http.put(`${USERS}/${whom.id}`).set(by.auth).send({ name: 'Demoted', role: 'user' });
  const admins = async () =>
    (await rows<{ id: number }>(`SELECT id FROM ${database}.users WHERE role = 'admin'`)).map(({ id }) => id);

  test('cannot be demoted: responds 409 last_admin and changes nothing', async () => {
    const only = await anAdmin();
    const { body } = await demote(only, only).expect(409);
    expect(body.code).toBe('last_admin');
    expect(await rows(`SELECT name, role FROM ${database}.users`)).toEqual([{ name: 'Admin', role: 'admin' }]);
  });

  test('can keep the role and change other fields', async () => {
    const only = await anAdmin();
    await apart.http.put(`${USERS}/${only.id}`).set(only.auth).send({ name: 'New', role: 'admin' }).expect(204);
  });

  test('can be the one who remains after the others were demoted', async () => {
    const [one, other] = [await anAdmin(), await anAdmin()];
    await demote(one, one).expect(204);
    await demote(other, other).expect(409);
    expect(await admins()).toEqual([other.id]);
  });

  test('remains when all demote each other or themselves concurrently over two replicas', async () => {
    for (let round = 0; round < 5; round += 1) {
      await rows(`DELETE FROM ${database}.users`);
      const [one, two, three] = [await anAdmin(), await anAdmin(), await anAdmin()];
      const responses = await Promise.all([
        demote(one, two),
        demote(two, three, replica),
        demote(three, one),
        demote(one, one, replica),
        demote(two, two),
        demote(three, three, replica),
      ]);
      for (const { status, body } of responses) {
        // 403: demoted meanwhile, as the database says; 401: this replica already knows that the token was revoked.
        expect([204, 401, 403, 409]).toContain(status);
        if (status === 409) expect(body.code).toBe('last_admin');
      }
      expect(await admins()).toHaveLength(1);
    }
  });
});
