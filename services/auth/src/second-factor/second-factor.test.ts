import { authService } from '@shop/auth';
import { aUser, figure, rows, scrape, startApp, type TestApp, useOwnDatabase } from '@shop/testing';
import { TOTP } from 'otpauth';
import { aGoogleAccount, CLIENT_ID, type GoogleIssuer, startGoogleIssuer } from '../../tests/google-issuer';
import { aPerson, aRegisteredUser, claimsOf, logIn, type Registered, refresh } from '../../tests/people';
import type { AuditTrail } from '../audit/audit-trail';
import { createContext } from '../service';
import { settings } from '../settings';
import { confirmFactor } from './set-up-factor';

afterEach(() => jest.restoreAllMocks());

const FACTOR = '/api/v1/auth/me/factor';
const FACTOR_KEY = 'a-factor-key-for-tests-only-0123456789abcdef';

let google: GoogleIssuer;
let app: TestApp;
let replica: TestApp;
let unconfigured: TestApp;
/** Where admins need a second factor. */
let strict: TestApp;

beforeAll(async () => {
  await useOwnDatabase();
  google = await startGoogleIssuer();
  const env = { FACTOR_KEY, GOOGLE_CLIENT_ID: CLIENT_ID, GOOGLE_CERTS_URL: google.certsUrl, SHOP_NAME: 'Ada & Co' };
  app = await startApp(authService, env);
  replica = await startApp(authService, env);
  strict = await startApp(authService, { ...env, REQUIRE_ADMIN_FACTOR: 'true' });
  unconfigured = await startApp(authService);
});
afterAll(() => Promise.all([app, replica, strict, unconfigured, google].map((server) => server.close())));

interface WithFactor extends Registered {
  secret: string;
  recoveryCodes: string[];
}

const PERIOD_MS = 30_000;
const codeOf = (secret: string, steps = 0) =>
  new TOTP({ secret }).generate({ timestamp: Date.now() + steps * PERIOD_MS });
/** Six digits that none of the accepted time steps has. */
const wrongCode = (secret: string) => {
  const right = [-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code)) ?? '';
};
/** As if the app had shown no accepted code yet: tests do not wait for the next one. */
const forgetSteps = () => rows('UPDATE second_factors SET last_step = 0');

const setUp = (user: Registered, where = app, current_password = user.password) =>
  where.http.post(FACTOR).set(user.auth).send({ current_password });
const confirm = (user: Registered, code: string, where = app) => where.http.put(FACTOR).set(user.auth).send({ code });
const remove = (user: Registered, code: string, current_password = user.password) =>
  app.http.delete(FACTOR).set(user.auth).send({ current_password, code });
const stateOf = async (user: Registered) => (await app.http.get(FACTOR).set(user.auth).expect(200)).body;
const logInWith = (user: Registered, code: string, where = app) =>
  where.http.post('/api/v1/auth/login').send({ email: user.email, password: user.password, code });

async function addFactor(user: Registered): Promise<WithFactor> {
  const { secret } = (await setUp(user).expect(200)).body;
  const { body } = await confirm(user, codeOf(secret)).expect(200);
  await forgetSteps();
  return { ...user, secret, recoveryCodes: body.recovery_codes };
}
const aUserWithFactor = async () => await addFactor(await aRegisteredUser(app));

describe('setting up', () => {
  test('a factor counts from its confirmation, which shows ten recovery codes once', async () => {
    const user = await aRegisteredUser(app);
    expect(await stateOf(user)).toEqual({ enabled: false, recovery_codes_left: 0 });
    const { body } = await setUp(user).expect(200).expect('Cache-Control', 'no-store');
    const uri = new URL(body.otpauth_uri);
    expect([uri.protocol, uri.host, uri.searchParams.get('secret')]).toEqual(['otpauth:', 'totp', body.secret]);
    expect([uri.searchParams.get('issuer'), decodeURIComponent(uri.pathname)]).toEqual([
      'Ada & Co',
      `/Ada & Co:${user.email}`,
    ]);
    await logIn(app, user).expect(200);
    expect(await stateOf(user)).toEqual({ enabled: false, recovery_codes_left: 0 });

    expect((await confirm(user, wrongCode(body.secret)).expect(403)).body.code).toBe('wrong_code');
    const confirmed = await confirm(user, codeOf(body.secret)).expect(200).expect('Cache-Control', 'no-store');
    expect(new Set(confirmed.body.recovery_codes).size).toBe(10);
    for (const code of confirmed.body.recovery_codes) expect(code).toMatch(/^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
    expect(await stateOf(user)).toEqual({ enabled: true, recovery_codes_left: 10 });
    expect((await confirm(user, codeOf(body.secret, 1)).expect(409)).body.code).toBe('factor_enabled');
    expect((await setUp(user).expect(409)).body.code).toBe('factor_enabled');
  });

  test('needs the password, and replaces a factor that is not confirmed', async () => {
    const user = await aRegisteredUser(app);
    expect((await confirm(user, '123456').expect(404)).body.code).toBe('no_factor');
    expect((await setUp(user, app, 'not the password').expect(403)).body.code).toBe('wrong_password');
    const first = (await setUp(user).expect(200)).body.secret;
    const second = (await setUp(user).expect(200)).body.secret;
    await confirm(user, codeOf(first)).expect(403);
    await confirm(user, codeOf(second)).expect(200);
  });

  test('two concurrent confirmations give recovery codes once', async () => {
    const user = await aRegisteredUser(app);
    const { secret } = (await setUp(user).expect(200)).body;
    const responses = await Promise.all([app, replica].map((where) => confirm(user, codeOf(secret), where)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await stateOf(user)).toEqual({ enabled: true, recovery_codes_left: 10 });
  });

  test('neither the secret nor a recovery code is in the database', async () => {
    const user = await aUserWithFactor();
    const stored = JSON.stringify([
      await rows('SELECT * FROM second_factors WHERE user_id = ?', [user.id]),
      await rows('SELECT * FROM recovery_codes WHERE user_id = ?', [user.id]),
    ]);
    for (const secret of [user.secret, ...user.recoveryCodes]) expect(stored).not.toContain(secret.replaceAll('-', ''));
  });
});

describe('logging in', () => {
  test('only a right password learns that a code is missing', async () => {
    const user = await aUserWithFactor();
    expect((await logIn(app, user).expect(401)).body.code).toBe('second_factor_required');
    const wrong = { ...user, password: 'a wrong password' };
    expect((await logIn(app, wrong).expect(401)).body.code).toBe('invalid_credentials');
    expect((await logInWith(wrong, codeOf(user.secret)).expect(401)).body.code).toBe('invalid_credentials');
    expect((await logInWith(user, wrongCode(user.secret)).expect(401)).body.code).toBe('invalid_code');
    const { body } = await logInWith(user, codeOf(user.secret)).expect(200);
    // A refresh needs no code.
    await refresh(app, body.refresh_token).expect(200);
  });

  test('without a factor, a code is ignored', async () => {
    await logInWith(await aRegisteredUser(app), '123456').expect(200);
  });

  test('a code works one step early and late, but not two', async () => {
    const user = await aUserWithFactor();
    // The clock must not enter the next step between two requests.
    jest.spyOn(Date, 'now').mockReturnValue(Date.now());
    for (const steps of [-2, 2]) await logInWith(user, codeOf(user.secret, steps)).expect(401);
    for (const steps of [-1, 0, 1]) await logInWith(user, codeOf(user.secret, steps)).expect(200);
  });

  test('a code works once, and none before it', async () => {
    const user = await aUserWithFactor();
    const code = codeOf(user.secret);
    await logInWith(user, code).expect(200);
    expect((await logInWith(user, code, replica).expect(401)).body.code).toBe('invalid_code');
    await logInWith(user, codeOf(user.secret, -1)).expect(401);
  });

  test('the code of the confirmation works for no login', async () => {
    const user = await aRegisteredUser(app);
    const { secret } = (await setUp(user).expect(200)).body;
    const code = codeOf(secret);
    await confirm(user, code).expect(200);
    await logInWith(user, code).expect(401);
  });

  test.each(['a code', 'a recovery code'])('of concurrent logins with %s, one wins', async (kind) => {
    const user = await aUserWithFactor();
    const code = kind === 'a code' ? codeOf(user.secret) : (user.recoveryCodes[0] ?? '');
    const responses = await Promise.all([app, replica, app, replica].map((where) => logInWith(user, code, where)));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
  });

  test('a recovery code works once, however it is typed', async () => {
    const user = await aUserWithFactor();
    const [first = '', second = ''] = user.recoveryCodes;
    await logInWith(user, first).expect(200);
    await logInWith(user, first).expect(401);
    await logInWith(user, ` ${second.replaceAll('-', ' ').toLowerCase()}`).expect(200);
    expect(await stateOf(user)).toEqual({ enabled: true, recovery_codes_left: 8 });
    const other = await aUserWithFactor();
    await logInWith(user, other.recoveryCodes[0] ?? '').expect(401);
  });

  test('after 5 wrong codes in 15 minutes every client gets 429, a known one too', async () => {
    const user = await aUserWithFactor();
    const tries = await Promise.all(
      Array.from({ length: 12 }, (_, i) => logInWith(user, wrongCode(user.secret), i % 2 ? app : replica)),
    );
    const statuses = tries.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    for (const code of [codeOf(user.secret), user.recoveryCodes[0] ?? '']) {
      const { body, headers } = await logInWith(user, code).expect(429);
      expect(body.code).toBe('too_many_codes');
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(900);
    }
    // The limit of passwords is another one.
    expect((await logIn(app, user).expect(401)).body.code).toBe('second_factor_required');
    await rows('DELETE FROM mail_quotas WHERE subject = ?', [`factor:${user.id}`]);
    await logInWith(user, codeOf(user.secret)).expect(200);
  });

  test('right codes are not counted', async () => {
    const user = await aUserWithFactor();
    for (let i = 0; i < 6; i++) {
      await logInWith(user, codeOf(user.secret)).expect(200);
      await forgetSteps();
    }
  });

  test('a password reset leaves the factor', async () => {
    const user = await aUserWithFactor();
    const { body } = await app.http.post('/api/v1/auth/forgot-password').send({ email: user.email }).expect(200);
    const password = 'a newer password';
    await app.http.post('/api/v1/auth/reset-password').send({ token: body.reset_token, password }).expect(204);
    expect((await logIn(app, { ...user, password }).expect(401)).body.code).toBe('second_factor_required');
    await logInWith({ ...user, password }, codeOf(user.secret)).expect(200);
  });

  test('failures are metered', async () => {
    const outcome = async (name: string) =>
      figure(await scrape(app.url), 'logins_total', { method: 'password', outcome: name }) ?? Number.NaN;
    const before = [await outcome('second_factor_required'), await outcome('invalid_code')];
    const user = await aUserWithFactor();
    await logIn(app, user).expect(401);
    await logInWith(user, wrongCode(user.secret)).expect(401);
    expect([await outcome('second_factor_required'), await outcome('invalid_code')]).toEqual(before.map((n) => n + 1));
  });
});

describe('signing in with Google', () => {
  const signIn = (id_token: string, code?: string) =>
    app.http.post('/api/v1/auth/sso/google').send({ id_token, ...(code === undefined ? {} : { code }) });

  test('needs the code, too', async () => {
    const user = await aRegisteredUser(app);
    await rows('UPDATE users SET email_verified_at = NOW(3) WHERE id = ?', [user.id]);
    const idToken = google.idToken({ ...aGoogleAccount(), email: user.email });
    const { secret } = await addFactor(user);
    expect((await signIn(idToken).expect(401)).body.code).toBe('second_factor_required');
    expect((await signIn(idToken, wrongCode(secret)).expect(401)).body.code).toBe('invalid_code');
    await signIn(idToken, codeOf(secret)).expect(200);
    await signIn(idToken, codeOf(secret)).expect(401);
  });

  test('of the holder of an email address that was not verified removes the password and factor of a stranger', async () => {
    const stranger = await aUserWithFactor();
    await signIn(google.idToken({ ...aGoogleAccount(), email: stranger.email })).expect(200);
    expect(await rows('SELECT * FROM second_factors WHERE user_id = ?', [stranger.id])).toEqual([]);
  });
});

describe('removing', () => {
  test('needs password and code', async () => {
    const user = await aUserWithFactor();
    expect((await remove(user, codeOf(user.secret), 'not the password').expect(403)).body.code).toBe('wrong_password');
    expect((await remove(user, wrongCode(user.secret)).expect(403)).body.code).toBe('wrong_code');
    await remove(user, codeOf(user.secret)).expect(204);
    expect(await stateOf(user)).toEqual({ enabled: false, recovery_codes_left: 0 });
    await logIn(app, user).expect(200);
    expect((await remove(user, codeOf(user.secret)).expect(404)).body.code).toBe('no_factor');
  });

  test('takes a recovery code, for a lost phone', async () => {
    const user = await aUserWithFactor();
    await remove(user, user.recoveryCodes[3] ?? '').expect(204);
    await addFactor(user);
  });

  test('wrong codes count with those of logins', async () => {
    const user = await aUserWithFactor();
    for (let i = 0; i < 3; i++) await remove(user, wrongCode(user.secret)).expect(403);
    for (let i = 0; i < 2; i++) await logInWith(user, wrongCode(user.secret)).expect(401);
    expect((await remove(user, codeOf(user.secret)).expect(429)).body.code).toBe('too_many_codes');
  });
});

describe('recovery codes', () => {
  const renew = (user: Registered, current_password = user.password) =>
    app.http.post(`${FACTOR}/recovery-codes`).set(user.auth).send({ current_password });

  test('new ones replace the old ones', async () => {
    const user = await aUserWithFactor();
    await logInWith(user, user.recoveryCodes[0] ?? '').expect(200);
    await renew(user, 'not the password').expect(403);
    const { body } = await renew(user).expect(200).expect('Cache-Control', 'no-store');
    expect(await stateOf(user)).toEqual({ enabled: true, recovery_codes_left: 10 });
    await logInWith(user, user.recoveryCodes[1] ?? '').expect(401);
    await logInWith(user, body.recovery_codes[0]).expect(200);
  });

  test('belong to a confirmed factor', async () => {
    const user = await aRegisteredUser(app);
    await setUp(user).expect(200);
    expect((await renew(user).expect(404)).body.code).toBe('no_factor');
  });
});

describe('FACTOR_KEY', () => {
  test('without it no factor can be set up, and an existing one still counts', async () => {
    const user = await aUserWithFactor();
    const notConfigured = { code: 'factor_not_configured' };
    expect((await setUp(await aRegisteredUser(app), unconfigured).expect(503)).body).toMatchObject(notConfigured);
    await logIn(unconfigured, user).expect(401);
    for (let i = 0; i < 6; i++) {
      const { body } = await logInWith(user, codeOf(user.secret), unconfigured).expect(503);
      expect(body).toMatchObject(notConfigured);
    }
    // The codes were not tried, so they were not counted.
    await logInWith(user, user.recoveryCodes[0] ?? '', unconfigured).expect(200);
  });

  test('with another one, only recovery codes work', async () => {
    const user = await aUserWithFactor();
    const other = await startApp(authService, { FACTOR_KEY: `${FACTOR_KEY}, another one` });
    expect((await logInWith(user, codeOf(user.secret), other).expect(503)).body.code).toBe('factor_not_configured');
    await logInWith(user, user.recoveryCodes[0] ?? '', other).expect(200);
    await other.close();
  });

  test('a previous one opens what it sealed, which is sealed with the current one once a code is right', async () => {
    const [user, pending] = [await aUserWithFactor(), await aRegisteredUser(app)];
    const { secret } = (await setUp(pending).expect(200)).body;
    const newKey = `newer ${FACTOR_KEY}`;
    const both = await startApp(authService, {
      FACTOR_KEY: newKey,
      FACTOR_KEY_PREVIOUS: `${newKey.slice(1)},${FACTOR_KEY}`,
    });
    const onlyNew = await startApp(authService, { FACTOR_KEY: newKey });
    await logInWith(user, wrongCode(user.secret), both).expect(401);
    await logInWith(user, codeOf(user.secret), onlyNew).expect(503);
    await logInWith(user, codeOf(user.secret), both).expect(200);
    await confirm(pending, codeOf(secret), both).expect(200);
    await forgetSteps();
    await logInWith(user, codeOf(user.secret), onlyNew).expect(200);
    // A confirmation seals nothing. The first login does.
    await logInWith(pending, codeOf(secret), both).expect(200);
    await forgetSteps();
    await logInWith(pending, codeOf(secret), onlyNew).expect(200);
    await Promise.all([both.close(), onlyNew.close()]);
  });
});

describe('leaving', () => {
  test('the export says whether there is a factor, and nothing of its secrets', async () => {
    const user = await aUserWithFactor();
    const exported = async (of: Registered) =>
      (await app.http.get('/api/v1/auth/me/export').set(of.auth).expect(200)).body;
    const body = await exported(user);
    expect(body.user.second_factor).toBe(true);
    expect(JSON.stringify(body)).not.toContain(user.secret);
    const pending = await aRegisteredUser(app);
    await setUp(pending).expect(200);
    expect((await exported(pending)).user.second_factor).toBe(false);
  });

  test('deleting the account deletes factor and recovery codes', async () => {
    const user = await aUserWithFactor();
    await app.http.delete('/api/v1/auth/me').set(user.auth).send({ current_password: user.password }).expect(204);
    for (const table of ['second_factors', 'recovery_codes']) {
      expect(await rows(`SELECT * FROM ${table} WHERE user_id = ?`, [user.id])).toEqual([]);
    }
  });
});

describe('REQUIRE_ADMIN_FACTOR', () => {
  const roleOf = ({ token }: { token: string }) => claimsOf(token).role;
  const listUsers = (where: TestApp, { token }: { token: string }) =>
    where.http.get('/api/v1/auth/users').set('Authorization', `Bearer ${token}`);

  async function anAdmin(): Promise<Registered> {
    const user = await aRegisteredUser(app);
    await rows("UPDATE users SET role = 'admin' WHERE id = ?", [user.id]);
    const { body } = await logIn(app, user).expect(200);
    return { ...user, set: body, auth: { Authorization: `Bearer ${body.token}` } };
  }

  test('admins are users until they have logged in with a factor', async () => {
    const admin = await anAdmin();
    expect(roleOf(admin.set)).toBe('admin');
    const without = (await logIn(strict, admin).expect(200)).body;
    expect(roleOf(without)).toBe('user');
    await listUsers(strict, without).expect(403);
    const someone = await aUser();
    const auth = { Authorization: `Bearer ${without.token}` };
    await strict.http.put(`/api/v1/auth/users/${someone.id}`).set(auth).send({ role: 'admin' }).expect(403);
    await strict.http.put(`/api/v1/auth/users/${admin.id}`).set(auth).send({ role: 'user' }).expect(403);

    const { secret } = await addFactor({ ...admin, auth });
    // This session began without it.
    const refreshed = (await refresh(strict, without.refresh_token).expect(200)).body;
    expect(roleOf(refreshed)).toBe('user');
    const withFactor = (await logInWith(admin, codeOf(secret), strict).expect(200)).body;
    expect(roleOf(withFactor)).toBe('admin');
    await listUsers(strict, withFactor).expect(200);
    expect(roleOf((await refresh(strict, withFactor.refresh_token).expect(200)).body)).toBe('admin');
  });

  test('the setting applies to sessions that began before it, at their next refresh', async () => {
    const admin = await anAdmin();
    expect(roleOf((await refresh(strict, admin.set.refresh_token).expect(200)).body)).toBe('user');
  });

  test('removing the factor ends the rights of all sessions', async () => {
    const admin = await addFactor(await anAdmin());
    const session = (await logInWith(admin, codeOf(admin.secret), strict).expect(200)).body;
    const removal = strict.http.delete(FACTOR).set('Authorization', `Bearer ${session.token}`);
    await removal.send({ current_password: admin.password, code: admin.recoveryCodes[0] }).expect(204);
    expect(roleOf((await refresh(strict, session.refresh_token).expect(200)).body)).toBe('user');
    const [revoked] = await rows<{ role: string }>('SELECT role FROM revocations WHERE user_id = ?', [admin.id]);
    expect(revoked?.role).toBe('user');
  });

  test('a user who becomes an admin goes on as a user', async () => {
    const admin = await addFactor(await anAdmin());
    const { token } = (await logInWith(admin, codeOf(admin.secret), strict).expect(200)).body;
    const user = await aRegisteredUser(strict);
    const promotion = strict.http.put(`/api/v1/auth/users/${user.id}`).set('Authorization', `Bearer ${token}`);
    await promotion.send({ role: 'admin' }).expect(204);
    expect(await rows('SELECT role FROM revocations WHERE user_id = ?', [user.id])).toEqual([]);
  });

  test('everyone else is not affected', async () => {
    const person = aPerson();
    const { body } = await strict.http.post('/api/v1/auth/register').send(person).expect(201);
    expect(roleOf(body)).toBe('user');
    await logIn(strict, person).expect(200);
  });
});

test('a confirmation that cannot be recorded confirms nothing', async () => {
  const user = await aRegisteredUser(app);
  const { secret } = (await setUp(user).expect(200)).body;
  const ctx = createContext(app.resources, settings.parse({ FACTOR_KEY, UPLOAD_PATH: '.' }));
  const audit: AuditTrail = {
    ...ctx.audit,
    transaction: (client, work) =>
      ctx.audit.transaction(client, (sql) =>
        work(sql, async () => {
          throw new Error('not recorded');
        }),
      ),
  };
  const client = { ip: '203.0.113.7', userAgent: undefined, requestId: 'test' };
  const confirmation = confirmFactor({ ...ctx, audit }, { id: user.id, role: 'user' }, codeOf(secret), client);
  await expect(confirmation).rejects.toThrow('not recorded');
  expect(await stateOf(user)).toEqual({ enabled: false, recovery_codes_left: 0 });
});

test('the audit trail has the confirmation, new recovery codes and the removal', async () => {
  const user = await aUserWithFactor();
  const renewal = { current_password: user.password };
  await app.http.post(`${FACTOR}/recovery-codes`).set(user.auth).send(renewal).expect(200);
  await forgetSteps();
  await remove(user, codeOf(user.secret)).expect(204);
  const events = await rows<{ event: string }>('SELECT event FROM audit_events WHERE user_id = ? ORDER BY id', [
    user.id,
  ]);
  expect(events.map(({ event }) => event).slice(-3)).toEqual([
    'factor_enabled',
    'recovery_codes_renewed',
    'factor_disabled',
  ]);
});
