import { randomInt, randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import {
  aUser,
  type CapturedLog,
  capturedLog,
  figure,
  rows,
  scrape,
  startApp,
  type TestApp,
  type TestUser,
  useOwnDatabase,
  write,
} from '@shop/testing';
import { aPerson, aRegisteredUser, logIn, type Registered, refresh } from '../../tests/people';
import { createContext } from '../service';
import { settings } from '../settings';

let app: TestApp;
let log: CapturedLog;
let admin: TestUser;

beforeAll(async () => {
  await useOwnDatabase();
  log = capturedLog();
  app = await startApp(authService, { TRUST_PROXY: '127.0.0.1', REFRESH_GRACE_SECONDS: '0' }, log.logger);
  admin = await aUser({ role: 'admin' });
});
afterAll(() => app.close());

const CLIENT = '203.0.113.7';
const aClient = () => `198.51.${randomInt(256)}.${randomInt(1, 255)}`;

interface Entry {
  id: number;
  event: string;
  user_id: number;
  actor_id: number | null;
  detail: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string;
}

const list = async (query: object): Promise<Entry[]> =>
  (await app.http.get('/api/v1/auth/audit').query(query).set(admin.auth).expect(200)).body.data;
/** The events of a user after the registration, oldest first. */
const eventsOf = async ({ id }: { id: number }) =>
  (await list({ user_id: id, limit: 100 })).reverse().filter(({ event }) => event !== 'registered');
const last = async (user: { id: number }) => (await eventsOf(user)).at(-1);

type Method = 'get' | 'post' | 'put' | 'delete';
const send = (method: Method, path: string, auth: object, body?: object) =>
  app.http[method](`/api/v1/auth${path}`)
    .set({ ...auth, 'X-Forwarded-For': CLIENT })
    .send(body);
const resetTokenOf = async ({ email }: Registered) =>
  (await send('post', '/forgot-password', {}, { email }).expect(200)).body.reset_token;
const guess = (person: { email: string; password: string }, client = aClient()) =>
  logIn(app, { ...person, password: 'a wrong password' }).set('X-Forwarded-For', client);

test('an event has the account, who did it, the client and the request, in the table and in the log', async () => {
  const user = await aRegisteredUser(app);
  const id = randomUUID();
  await logIn(app, user)
    .set({ 'X-Forwarded-For': CLIENT, 'X-Request-Id': id, 'User-Agent': `Mozilla${'x'.repeat(300)}` })
    .expect(200);
  expect(await eventsOf(user)).toEqual([
    {
      id: expect.any(Number),
      created_at: expect.any(String),
      event: 'login',
      user_id: user.id,
      actor_id: user.id,
      detail: 'password',
      ip: CLIENT,
      user_agent: `Mozilla${'x'.repeat(248)}`,
      request_id: id,
    },
  ]);
  expect(log.lines().filter((line) => line.request_id === id && line.msg === 'audit event')).toEqual([
    expect.objectContaining({ level: 'info', audit_event: 'login', user_id: user.id, client_ip: CLIENT }),
  ]);
});

test.each<[event: string, detail: string | null, act: (user: Registered) => Promise<unknown>]>([
  [
    'session_revoked',
    null,
    async ({ set }) => await send('post', '/logout', {}, { refresh_token: set.refresh_token }).expect(204),
  ],
  ['all_sessions_revoked', null, async ({ auth }) => await send('post', '/logout/all', auth).expect(204)],
  [
    'password_reset',
    null,
    async (user) => {
      const body = { token: await resetTokenOf(user), password: 'a newer password' };
      await send('post', '/reset-password', {}, body).expect(204);
    },
  ],
  [
    'password_changed',
    null,
    async ({ auth, password }) => {
      const body = { current_password: password, password: 'a newer password' };
      await send('put', '/me/password', auth, body).expect(204);
    },
  ],
  [
    'email_changed',
    null,
    async (user) => {
      const change = { email: aPerson().email, current_password: user.password };
      const { body } = await send('put', '/me/email', user.auth, change).expect(202);
      expect((await last(user))?.event).toBe('email_change_requested');
      await send('post', '/verify-email', {}, { token: body.verification_token }).expect(204);
    },
  ],
  ['account_exported', null, async ({ auth }) => await send('get', '/me/export', auth).expect(200)],
])('%s is recorded', async (event, detail, act) => {
  const user = await aRegisteredUser(app);
  await act(user);
  expect(await last(user)).toMatchObject({ event, detail, actor_id: user.id, ip: CLIENT });
});

test.each<[event: string, detail: string | null, act: (userId: number) => Promise<unknown>]>([
  [
    'role_changed',
    'user to admin',
    async (id) => await send('put', `/users/${id}`, admin.auth, { role: 'admin' }).expect(204),
  ],
  [
    'all_sessions_revoked',
    null,
    async (id) => await send('post', '/logout/all', admin.auth, { user_id: id }).expect(204),
  ],
  ['account_exported', null, async (id) => await send('get', `/users/${id}/export`, admin.auth).expect(200)],
  ['account_deleted', null, async (id) => await send('delete', `/users/${id}`, admin.auth).expect(204)],
])('%s by an admin names the admin', async (event, detail, act) => {
  const user = await aRegisteredUser(app);
  await act(user.id);
  expect(await last(user)).toMatchObject({ event, detail, actor_id: admin.id, ip: CLIENT });
});

test('what changes nothing is not recorded', async () => {
  const user = await aRegisteredUser(app);
  await send('put', `/users/${user.id}`, admin.auth, { role: 'user' }).expect(204);
  const logout = () => send('post', '/logout', {}, { refresh_token: user.set.refresh_token }).expect(204);
  await logout();
  await logout();
  await send('put', '/me/password', user.auth, { current_password: 'wrong', password: 'a newer password' });
  expect((await eventsOf(user)).map(({ event }) => event)).toEqual(['session_revoked']);
});

test('a refresh token that was stolen: the event names no user who did it, and the log warns', async () => {
  const user = await aRegisteredUser(app);
  await refresh(app, user.set.refresh_token).expect(200);
  const before = figure(await scrape(app.url), 'audit_events_total', { event: 'refresh_token_reused' });
  await refresh(app, user.set.refresh_token).set('X-Forwarded-For', CLIENT).expect(401);
  expect(await eventsOf(user)).toEqual([
    expect.objectContaining({ event: 'refresh_token_reused', actor_id: null, ip: CLIENT }),
  ]);
  const reuses = log.lines().filter((line) => line.audit_event === 'refresh_token_reused' && line.user_id === user.id);
  expect(reuses).toEqual([expect.objectContaining({ level: 'warn' })]);
  expect(figure(await scrape(app.url), 'audit_events_total', { event: 'refresh_token_reused' })).toBe(
    (before ?? 0) + 1,
  );
  // Its session has ended, so sending it again and again does not fill the table.
  await refresh(app, user.set.refresh_token).expect(401);
  expect(await eventsOf(user)).toHaveLength(1);
});

describe('wrong passwords', () => {
  const shiftEvents = (user: Registered, minutes: number) =>
    write('UPDATE audit_events SET created_at = created_at - INTERVAL ? MINUTE WHERE user_id = ?', [minutes, user.id]);

  test('the tenth is an event, and no other one within 15 minutes', async () => {
    const user = await aRegisteredUser(app);
    for (let i = 0; i < 9; i++) await guess(user).expect(401);
    expect(await eventsOf(user)).toEqual([]);
    await guess(user, CLIENT).expect(401);
    await guess(user).expect(429);
    const burst = expect.objectContaining({ event: 'login_failures', actor_id: null, ip: CLIENT });
    expect(await eventsOf(user)).toEqual([burst]);

    // The oldest of the ten expires, and the next one reaches the limit again.
    const expireOne = async () => {
      const [quota] = await rows<{ subject: string; sent_at: string }>(
        "SELECT subject, sent_at FROM mail_quotas WHERE subject LIKE 'login:%' ORDER BY sent_at DESC LIMIT 1",
      );
      const times = quota?.sent_at.split(',').slice(1).join(',') ?? '';
      await write('UPDATE mail_quotas SET sent_at = ? WHERE subject = ?', [times, quota?.subject ?? '']);
    };
    await write("DELETE FROM mail_quotas WHERE subject LIKE 'login:%' AND LENGTH(sent_at) < 100", []);
    await expireOne();
    await guess(user).expect(401);
    expect(await eventsOf(user)).toHaveLength(1);
    await shiftEvents(user, 15);
    await expireOne();
    await guess(user).expect(401);
    expect(await eventsOf(user)).toHaveLength(2);
  });

  test('nine and a login are none; also those for a change count', async () => {
    const user = await aRegisteredUser(app);
    for (let i = 0; i < 9; i++) await guess(user).expect(401);
    await logIn(app, user).set('X-Forwarded-For', aClient()).expect(200);
    expect((await eventsOf(user)).map(({ event }) => event)).toEqual(['login']);
    await app.http
      .put('/api/v1/auth/me/password')
      .set({ ...user.auth, 'X-Forwarded-For': aClient() })
      .send({ current_password: 'a wrong password', password: 'a newer password' })
      .expect(403);
    expect((await last(user))?.event).toBe('login_failures');
  });

  test('for unknown email addresses, no row is written, but they are counted and logged', async () => {
    const countRows = async () => (await rows<{ n: number }>('SELECT COUNT(*) AS n FROM audit_events'))[0]?.n;
    const counted = async () => figure(await scrape(app.url), 'audit_events_total', { event: 'login_failures' });
    const [before, countBefore] = [await countRows(), await counted()];
    const stranger = aPerson();
    for (let i = 0; i < 9; i++) await guess(stranger).expect(401);
    const client = aClient();
    await guess(stranger, client).expect(401);
    expect(await countRows()).toBe(before);
    expect(await counted()).toBe((countBefore ?? 0) + 1);
    const [line, ...more] = log.lines().filter((one) => one.msg === 'audit event' && one.client_ip === client);
    expect([line, more]).toEqual([expect.objectContaining({ level: 'warn', audit_event: 'login_failures' }), []]);
    expect(line).not.toHaveProperty('user_id');
  });
});

test('an event that is rolled back is neither in the table nor in the log', async () => {
  const user = await aRegisteredUser(app);
  const ctx = createContext(app.resources, settings.parse({ UPLOAD_PATH: '.' }));
  const client = { ip: CLIENT, userAgent: undefined, requestId: randomUUID() };
  let attempts = 0;
  const work = ctx.audit.transaction(client, async (_, record) => {
    attempts += 1;
    await record('login', user.id);
    if (attempts === 1) throw Object.assign(new Error('as MySQL says it'), { errno: 1213, code: 'ER_LOCK_DEADLOCK' });
  });
  await work;
  const lines = log.lines().filter((line) => line.request_id === client.requestId);
  expect([attempts, lines.length, (await eventsOf(user)).length]).toEqual([2, 1, 1]);
});

test('deleting an account keeps its events, without the addresses of its owner', async () => {
  const user = await aRegisteredUser(app);
  await send('put', `/users/${user.id}`, admin.auth, { role: 'admin' }).expect(204);
  const { body } = await logIn(app, user).expect(200);
  const auth = { Authorization: `Bearer ${body.token}` };
  await send('delete', '/me', auth, { current_password: user.password }).expect(204);
  expect((await eventsOf(user)).map(({ event, ip, user_agent }) => [event, ip, user_agent])).toEqual([
    ['role_changed', CLIENT, null],
    ['login', null, null],
    ['account_deleted', null, null],
  ]);
});

test("an export has the user's events, without the addresses of admins", async () => {
  const user = await aRegisteredUser(app);
  await logIn(app, user).set('X-Forwarded-For', CLIENT).expect(200);
  await send('post', '/logout/all', admin.auth, { user_id: user.id }).expect(204);
  const { body } = await send('get', `/users/${user.id}/export`, admin.auth).expect(200);
  expect(body.audit_events).toEqual([
    expect.objectContaining({ event: 'registered', ip: '127.0.0.1' }),
    { created_at: expect.any(String), event: 'login', detail: 'password', ip: CLIENT, user_agent: null },
    { created_at: expect.any(String), event: 'all_sessions_revoked', detail: null, ip: null, user_agent: null },
  ]);
});

describe('the list', () => {
  test('filters by user and by event, newest first', async () => {
    const user = await aRegisteredUser(app);
    await logIn(app, user).expect(200);
    await logIn(app, user).expect(200);
    await send('post', '/logout/all', user.auth).expect(204);
    const events = async (query: object) => (await list({ user_id: user.id, ...query })).map(({ event }) => event);
    expect(await events({})).toEqual(['all_sessions_revoked', 'login', 'login', 'registered']);
    expect(await events({ event: 'login' })).toEqual(['login', 'login']);
    expect(await events({ page: 2, limit: 3 })).toEqual(['registered']);
    expect((await list({ event: 'all_sessions_revoked', limit: 1 }))[0]?.user_id).toBe(user.id);
    const { body } = await app.http.get('/api/v1/auth/audit').query({ event: 'x', user_id: 'y' }).set(admin.auth);
    expect([body.status, body.errors.map(({ path }: { path: string }) => path)]).toEqual([400, ['user_id', 'event']]);
  });

  test('shows events of a newer release', async () => {
    const user = await aUser();
    await write("INSERT INTO audit_events (event, user_id, request_id) VALUES ('of_a_newer_release', ?, 'x')", [
      user.id,
    ]);
    expect((await last(user))?.event).toBe('of_a_newer_release');
  });
});

test('the job deletes events older than AUDIT_RETENTION_DAYS', async () => {
  const [old, young] = [await aUser(), await aUser()];
  const insert = (userId: number, days: number) =>
    write(
      "INSERT INTO audit_events (event, user_id, request_id, created_at) VALUES ('login', ?, 'x', NOW(3) - INTERVAL ? DAY)",
      [userId, days],
    );
  await insert(old.id, 31);
  await insert(young.id, 29);
  const env = settings.parse({ UPLOAD_PATH: '.', AUDIT_RETENTION_DAYS: '30' });
  await createContext(app.resources, env).audit.job.run();
  expect([await eventsOf(old), (await eventsOf(young)).length]).toEqual([[], 1]);
});
