import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { aUser, capturedLog, eventually, rows, startApp, type TestApp } from '@shop/testing';
import { aGoogleAccount, CLIENT_ID, type GoogleIssuer, startGoogleIssuer } from '../../tests/google-issuer';
import { aPerson, aRegisteredUser, claimsOf, logIn, refresh } from '../../tests/people';
import { startSmtpServer } from '../../tests/smtp-server';

const PATH = '/api/v1/auth/sso/google';
const log = capturedLog('info');
let google: GoogleIssuer;
let app: TestApp;
let replica: TestApp;

beforeAll(async () => {
  google = await startGoogleIssuer();
  const settings = { GOOGLE_CLIENT_ID: CLIENT_ID, GOOGLE_CERTS_URL: google.certsUrl };
  [app, replica] = await Promise.all([startApp(authService, settings, log.logger), startApp(authService, settings)]);
});
afterAll(() => Promise.all([app.close(), replica.close(), google.close()]));

const signIn = (idToken: unknown, where = app) => where.http.post(PATH).send({ id_token: idToken });
const userRows = (email: string) =>
  rows<{ id: number; name: string; phone: null; password_hash: null; google_sub: string; role: string }>(
    'SELECT id, name, phone, password_hash, google_sub, role FROM users WHERE email = ?',
    [email],
  );
const storesOf = (userId: number) => rows<{ name: string }>('SELECT name FROM stores WHERE user_id = ?', [userId]);
const sessionsOf = (userId: number) => rows('SELECT id FROM refresh_tokens WHERE user_id = ?', [userId]);

describe('signing in with Google', () => {
  test('opens an account with a store for a new email address, with a working session', async () => {
    const person = aGoogleAccount();
    const { body } = await signIn(google.idToken({ ...person, name: '  Zoë 🛒 ' }))
      .expect(200)
      .expect('Cache-Control', 'no-store');

    const [user, ...others] = await userRows(person.email);
    expect(others).toEqual([]);
    expect(user).toMatchObject({
      name: 'Zoë 🛒',
      phone: null,
      password_hash: null,
      google_sub: person.sub,
      role: 'user',
    });
    const id = user?.id ?? 0;
    expect(await storesOf(id)).toEqual([{ name: "Zoë 🛒's Store" }]);
    expect(claimsOf(body.token)).toMatchObject({ sub: String(id), user_id: id, role: 'user' });
    const me = await app.http.get('/api/v1/auth/me').set('Authorization', `Bearer ${body.token}`).expect(200);
    expect(me.body).toMatchObject({ id, email: person.email, phone: null });
    await refresh(replica, body.refresh_token).expect(200);
  });

  test('finds the same account again, also after its email address has changed at Google', async () => {
    const person = aGoogleAccount();
    await signIn(google.idToken(person)).expect(200);
    const moved = { ...person, email: aGoogleAccount().email };
    const { body } = await signIn(google.idToken(moved), replica).expect(200);
    const [user] = await userRows(person.email);
    expect(claimsOf(body.token).user_id).toBe(user?.id);
    expect(await userRows(moved.email)).toEqual([]);
    expect(await storesOf(user?.id ?? 0)).toHaveLength(1);
  });

  test('links an account registered with the email address, ignoring case, and keeps its data', async () => {
    const registered = await aRegisteredUser(app);
    await rows("UPDATE users SET role = 'admin' WHERE id = ?", [registered.id]);
    const { sub } = aGoogleAccount();
    const { body } = await signIn(google.idToken({ sub, email: registered.email.toUpperCase() })).expect(200);
    expect(claimsOf(body.token)).toMatchObject({ user_id: registered.id, role: 'admin' });
    const [user, ...others] = await userRows(registered.email);
    expect(others).toEqual([]);
    expect(user).toMatchObject({ name: registered.name, phone: registered.phone, google_sub: sub });
    expect(await storesOf(registered.id)).toHaveLength(1);
  });

  test('refuses another Google account that gets the email address later', async () => {
    const person = aGoogleAccount();
    await signIn(google.idToken(person)).expect(200);
    const [user] = await userRows(person.email);
    const { body } = await signIn(google.idToken({ ...aGoogleAccount(), email: person.email })).expect(401);
    expect(body.code).toBe('invalid_id_token');
    expect((await userRows(person.email))[0]?.google_sub).toBe(person.sub);
    expect(await sessionsOf(user?.id ?? 0)).toHaveLength(1);
  });

  test('opens one account for concurrent sign-ins, over two replicas', async () => {
    const person = aGoogleAccount();
    const token = google.idToken(person);
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, index) => signIn(token, index % 2 ? app : replica)),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const [user, ...others] = await userRows(person.email);
    expect(others).toEqual([]);
    expect(await storesOf(user?.id ?? 0)).toHaveLength(1);
    expect(new Set(responses.map(({ body }) => claimsOf(body.token).user_id))).toEqual(new Set([user?.id]));
  });

  test('links one account when concurrent sign-ins carry two email addresses', async () => {
    const { sub } = aGoogleAccount();
    const people = await Promise.all(Array.from({ length: 6 }, () => aUser()));
    const responses = await Promise.all(
      people.map(({ email }, index) => signIn(google.idToken({ sub, email }), index % 2 ? app : replica)),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(6).fill(200));
    const linked = await rows<{ id: number }>('SELECT id FROM users WHERE google_sub = ?', [sub]);
    expect(linked).toHaveLength(1);
    expect(new Set(responses.map(({ body }) => claimsOf(body.token).user_id))).toEqual(new Set([linked[0]?.id]));
  });

  test.each([
    ['no name', undefined, (email: string) => email.split('@')[0]],
    ['a blank name', ' \0 ', (email: string) => email.split('@')[0]],
    ['an invisible name', '\u200b\u3164\u202e', (email: string) => email.split('@')[0]],
    ['a name of 300 emoji', '🛒'.repeat(300), () => '🛒'.repeat(255)],
    ['a NUL and half an emoji in the name', 'A\0da \ud83d', () => 'Ada \ufffd'],
  ])('accepts %s', async (_title, name, expected) => {
    const person = aGoogleAccount();
    await signIn(google.idToken({ ...person, name })).expect(200);
    expect((await userRows(person.email))[0]?.name).toBe(expected(person.email));
  });

  test.each([
    ['unusual characters in its email address', (mark: string) => `a&=/!#~$%*?^{}|\`${mark}@example.com`],
    ['a punycode domain', (mark: string) => `ada@${mark}.xn--mller-kva.de`],
  ])('accepts an account with %s', async (_title, addressWith) => {
    const person = { ...aGoogleAccount(), email: addressWith(randomUUID()) };
    const { body } = await signIn(google.idToken(person)).expect(200);
    expect(claimsOf(body.token).user_id).toBe((await userRows(person.email))[0]?.id);
  });

  test('accepts both spellings of the issuer', async () => {
    await signIn(google.idToken({ iss: 'accounts.google.com' })).expect(200);
    await signIn(google.idToken({ iss: 'https://accounts.google.com' })).expect(200);
  });

  test('deletes expired sessions', async () => {
    const other = await aRegisteredUser(app);
    await rows("UPDATE refresh_tokens SET expires_at = '2000-01-01' WHERE user_id = ?", [other.id]);
    await signIn(google.idToken()).expect(200);
    expect(await sessionsOf(other.id)).toEqual([]);
  });

  test('opens an account without a password, so that no password login succeeds', async () => {
    const person = aGoogleAccount();
    await signIn(google.idToken(person)).expect(200);
    for (const password of ['', 'null', 'a good password']) {
      const { status } = await logIn(app, { email: person.email, password });
      expect(status).toBe(password ? 401 : 400);
    }
  });
});

describe('an email address that a stranger registered first', () => {
  const forgotPassword = (email: string) => app.http.post('/api/v1/auth/forgot-password').send({ email });
  const reset = (token: string) =>
    app.http.post('/api/v1/auth/reset-password').send({ token, password: 'another good password' });
  const takeovers = (userId: number) =>
    log.lines().filter(({ msg, user_id }) => user_id === userId && String(msg).includes('removed its password'));
  const liveSessions = (userId: number) =>
    rows('SELECT id FROM refresh_tokens WHERE user_id = ? AND revoked_at IS NULL AND spent_at IS NULL', [userId]);

  test('gives access only to its owner: earlier password, sessions and reset tokens are removed', async () => {
    const squatter = await aRegisteredUser(app);
    const second = (await logIn(replica, squatter).expect(200)).body;
    const resetToken = (await forgotPassword(squatter.email).expect(200)).body.reset_token;

    const { body } = await signIn(google.idToken({ ...aGoogleAccount(), email: squatter.email })).expect(200);

    expect(claimsOf(body.token).user_id).toBe(squatter.id);
    expect((await logIn(app, squatter).expect(401)).body.code).toBe('invalid_credentials');
    for (const set of [squatter.set, second]) {
      expect((await refresh(app, set.refresh_token).expect(401)).body.code).toBe('invalid_refresh_token');
    }
    expect((await reset(resetToken).expect(400)).body.code).toBe('invalid_token');
    expect((await userRows(squatter.email))[0]?.password_hash).toBeNull();
    await refresh(replica, body.refresh_token).expect(200);
    expect(takeovers(squatter.id)).toEqual([expect.objectContaining({ level: 'warn' })]);
    const events = await rows<{ event: string; detail: string | null }>(
      'SELECT event, detail FROM audit_events WHERE user_id = ? ORDER BY id DESC LIMIT 2',
      [squatter.id],
    );
    expect(events).toEqual([
      { event: 'login', detail: 'google' },
      { event: 'google_linked', detail: 'password removed' },
    ]);
  });

  test('is claimed once: later sign-ins do not end sessions or remove a password', async () => {
    const squatter = await aRegisteredUser(app);
    const token = google.idToken({ ...aGoogleAccount(), email: squatter.email });
    const first = (await signIn(token).expect(200)).body;
    await reset((await forgotPassword(squatter.email).expect(200)).body.reset_token).expect(204);
    const second = (await signIn(token, replica).expect(200)).body;
    await signIn(token).expect(200);
    await refresh(app, second.refresh_token).expect(200);
    await refresh(app, first.refresh_token).expect(401); // ended by the reset
    await logIn(app, { ...squatter, password: 'another good password' }).expect(200);
    expect(takeovers(squatter.id)).toHaveLength(1);
  });

  test('keeps every session of an owner who signs in many times concurrently', async () => {
    const squatter = await aRegisteredUser(app);
    const token = google.idToken({ ...aGoogleAccount(), email: squatter.email });
    const responses = await Promise.all(
      Array.from({ length: 8 }, (_, index) => signIn(token, index % 2 ? app : replica).expect(200)),
    );
    for (const { body } of responses) await refresh(app, body.refresh_token).expect(200);
    expect(await liveSessions(squatter.id)).toHaveLength(8);
  });

  test('leaves no session that starts or is refreshed while its owner signs in', async () => {
    for (let round = 0; round < 8; round += 1) {
      const squatter = await aRegisteredUser(app);
      const resetToken = (await forgotPassword(squatter.email).expect(200)).body.reset_token;
      const token = google.idToken({ ...aGoogleAccount(), email: squatter.email });
      const [owner] = await Promise.all([
        signIn(token).expect(200),
        refresh(replica, squatter.set.refresh_token),
        ...[app, replica, app].map((where) => logIn(where, squatter)),
        reset(resetToken),
      ]);
      expect(await liveSessions(squatter.id)).toHaveLength(1);
      await refresh(app, owner.body.refresh_token).expect(200);
      for (const password of [squatter.password, 'another good password']) {
        await logIn(app, { ...squatter, password }).expect(401);
      }
    }
  });

  test('is reclaimed at the next sign-in if both had access to one account before', async () => {
    const squatter = await aRegisteredUser(app);
    const { sub } = aGoogleAccount();
    await rows('UPDATE users SET google_sub = ? WHERE id = ?', [sub, squatter.id]);
    await signIn(google.idToken({ sub, email: squatter.email })).expect(200);
    await logIn(app, squatter).expect(401);
    await refresh(app, squatter.set.refresh_token).expect(401);
  });
});

describe('an account with a verified email address', () => {
  test('verified by a reset mail: keeps its password and its sessions', async () => {
    const smtp = await startSmtpServer();
    const mailing = await startApp(authService, {
      APP_ENV: 'testnet',
      GOOGLE_CLIENT_ID: CLIENT_ID,
      GOOGLE_CERTS_URL: google.certsUrl,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(smtp.port),
    });
    try {
      const user = { ...(await aRegisteredUser(mailing)), password: 'a newer password' };
      await mailing.http.post('/api/v1/auth/forgot-password').send({ email: user.email }).expect(202);
      // The service also sends the mails of other test files: they share the table.
      const isReset = ({ to, text }: { to: string; text: string }) =>
        to === user.email && text.includes('set a new password');
      const resetMail = () => smtp.mails.find(isReset)?.text ?? '';
      await eventually('the reset mail', () => resetMail() !== '');
      const token = /token=([\w-]{43})/.exec(resetMail())?.[1];
      await mailing.http.post('/api/v1/auth/reset-password').send({ token, password: user.password }).expect(204);
      const { body } = await logIn(mailing, user).expect(200);

      await signIn(google.idToken({ ...aGoogleAccount(), email: user.email }), mailing).expect(200);

      await logIn(mailing, user).expect(200);
      await refresh(mailing, body.refresh_token).expect(200);
    } finally {
      await Promise.all([mailing.close(), smtp.close()]);
    }
  });

  test('opened through Google: keeps its sessions, also if it predates the verification column', async () => {
    const person = aGoogleAccount();
    const first = (await signIn(google.idToken(person)).expect(200)).body;
    await rows('UPDATE users SET email_verified_at = NULL WHERE email = ?', [person.email]);
    await signIn(google.idToken(person)).expect(200);
    await refresh(app, first.refresh_token).expect(200);
  });
});

test('the log contains no ID token', async () => {
  const person = { ...aGoogleAccount(), name: `name-${randomUUID()}` };
  const [good, bad] = [google.idToken(person), google.idToken({ ...person, aud: 'another' })];
  await signIn(good).expect(200);
  await signIn(bad).expect(401);
  app.resources.logger.flush();
  expect(log.text()).toContain(PATH);
  for (const part of [...good.split('.').slice(1), ...bad.split('.').slice(1), person.sub, person.name]) {
    expect(log.text()).not.toContain(part);
  }
});

test('without a client id the route responds 503 sso_not_configured, and everything else works', async () => {
  const without = await startApp(authService, { GOOGLE_CLIENT_ID: '', GOOGLE_CERTS_URL: google.certsUrl });
  try {
    const person = aGoogleAccount();
    const { body, headers } = await signIn(google.idToken(person), without).expect(503);
    expect([body.code, headers['retry-after']]).toEqual(['sso_not_configured', '1']);
    expect((await signIn('', without).expect(400)).body.code).toBe('invalid_request');
    expect(await userRows(person.email)).toEqual([]);
    await without.http.post('/api/v1/auth/register').send(aPerson()).expect(201);
  } finally {
    await without.close();
  }
});
