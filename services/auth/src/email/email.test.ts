import { randomInt, randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { aUser, eventually, rows, startApp, type TestApp, useOwnDatabase } from '@shop/testing';
import { aPerson, aRegisteredUser, logIn, type Registered } from '../../tests/people';
import { type SmtpServer, startSmtpServer } from '../../tests/smtp-server';

let smtp: SmtpServer;
let app: TestApp;

beforeAll(async () => {
  await useOwnDatabase();
  smtp = await startSmtpServer();
  app = await startApp(authService, {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    PASSWORD_RESET_URL: 'https://shop.test/reset',
    SHOP_NAME: 'Mugs & <More>',
    TRUST_PROXY: '127.0.0.1/32',
  });
});
afterAll(() => Promise.all([app.close(), smtp.close()]));

const aClient = () => `203.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
const anAddress = () => `${randomUUID()}@example.com`;
const mailsTo = (email: string) => smtp.mails.filter(({ to }) => to === email);

/** Registers from an address of its own, because mails are limited per client. */
async function register(person = aPerson()): Promise<Registered & { verificationToken: string }> {
  const sent = app.http.post('/api/v1/auth/register').set('X-Forwarded-For', aClient()).send(person);
  const { body } = await sent.expect(201);
  const [user] = await rows<{ id: number }>('SELECT id FROM users WHERE email = ?', [person.email]);
  const auth = { Authorization: `Bearer ${body.token}` };
  return { ...person, id: user?.id ?? 0, set: body, auth, verificationToken: body.verification_token };
}

const verify = (token: string) => app.http.post('/api/v1/auth/verify-email').send({ token });
const me = async (user: Registered) => (await app.http.get('/api/v1/auth/me').set(user.auth).expect(200)).body;
const changeEmail = (user: Registered, email: string, password = user.password, client = aClient()) =>
  app.http
    .put('/api/v1/auth/me/email')
    .set({ ...user.auth, 'X-Forwarded-For': client })
    .send({ email, current_password: password });
const resend = (user: Registered) =>
  app.http.post('/api/v1/auth/verify-email/resend').set({ ...user.auth, 'X-Forwarded-For': aClient() });

describe('verifying the address of a registration', () => {
  test('the mail has the token of the response, as text and HTML with the name of the shop', async () => {
    const user = await register();
    await eventually('the mail', () => mailsTo(user.email).length === 1);
    const text = mailsTo(user.email)[0]?.text ?? '';
    const link = `https://shop.test/verify-email?token=${user.verificationToken}`;
    expect(text).toMatch(/Content-Type: text\/plain/);
    expect(text).toContain('Mugs & <More>');
    expect(text).toContain(`\r\n${link}`);
    expect(text).toMatch(/Content-Type: text\/html/);
    expect(text).toContain('Mugs &#38; &#60;More&#62;');
    expect(text).toContain(`<a href="${link}">`);
  });

  test('the token works once', async () => {
    const user = await register();
    expect((await me(user)).email_verified).toBe(false);
    await verify(user.verificationToken).expect(204);
    expect((await me(user)).email_verified).toBe(true);
    const { body } = await verify(user.verificationToken).expect(400);
    expect(body).toMatchObject({ code: 'invalid_token', errors: [{ in: 'body', path: 'token' }] });
  });

  test.each(['', 'x', 'x'.repeat(1001), null, 5])('a bad token is 400: %j', async (token) => {
    await app.http.post('/api/v1/auth/verify-email').send({ token }).expect(400);
  });

  test('the token expires after 24 hours', async () => {
    const [early, late] = [await register(), await register()];
    const left = 'UPDATE email_verifications SET expires_at = expires_at - INTERVAL ? SECOND WHERE user_id = ?';
    await rows(left, [86_340, early.id]);
    await rows(left, [86_400, late.id]);
    await verify(early.verificationToken).expect(204);
    await verify(late.verificationToken).expect(400);
  });

  test('a resent token supersedes the first one; a verified address gets none', async () => {
    const user = await register();
    const { body } = await resend(user).expect(202);
    await verify(user.verificationToken).expect(400);
    await verify(body.verification_token).expect(204);
    expect((await resend(user).expect(202)).body).toEqual({});
    await eventually('both mails', () => mailsTo(user.email).length === 2);
  });

  test('at most 3 mails an hour go to one address', async () => {
    const user = await register();
    for (let i = 0; i < 4; i++) await resend(user).expect(202);
    await eventually('the mails', () => mailsTo(user.email).length === 3);
    await eventually('an empty outbox', async () => {
      return (await rows('SELECT id FROM mails WHERE recipient = ?', [user.email])).length === 0;
    });
    expect(mailsTo(user.email)).toHaveLength(3);
  });
});

describe('changing the address', () => {
  test('the new one counts once it is verified, and the old one gets a notice', async () => {
    const user = await register();
    await verify(user.verificationToken).expect(204);
    const email = anAddress();
    const { body } = await changeEmail(user, ` ${email.toUpperCase()} `).expect(202);
    expect(await me(user)).toMatchObject({ email: user.email, email_verified: true });
    await logIn(app, { ...user, email }).expect(401);
    await eventually('both mails', () => mailsTo(email).length === 1 && mailsTo(user.email).length === 2);
    const notice = mailsTo(user.email)[1]?.text ?? '';
    expect(notice).toContain('about to change');
    expect(notice).not.toContain(email);
    expect(notice).not.toContain('token=');

    await verify(body.verification_token).expect(204);
    expect(await me(user)).toMatchObject({ email, email_verified: true });
    await logIn(app, { ...user, email }).expect(200);
    await logIn(app, user).expect(401);
  });

  test('needs the password', async () => {
    const user = await register();
    const { body } = await changeEmail(user, anAddress(), 'a wrong password').expect(403);
    expect(body.code).toBe('wrong_password');
    expect(await rows('SELECT email FROM email_verifications WHERE user_id = ?', [user.id])).toEqual([
      { email: user.email },
    ]);
    const passwordless = await aUser();
    const change = app.http.put('/api/v1/auth/me/email').set(passwordless.auth);
    await change.send({ email: anAddress(), current_password: 'any password' }).expect(403);
  });

  test('guesses at the password count as failed logins, but not those of a known client', async () => {
    const user = await register();
    for (let i = 0; i < 10; i++) await changeEmail(user, anAddress(), 'a wrong password').expect(403);
    const { body } = await changeEmail(user, anAddress()).expect(429);
    expect(body.code).toBe('too_many_attempts');
    await logIn(app, user).set('X-Forwarded-For', aClient()).expect(429);
  });

  test('a taken address is 409, also if it is taken before the verification', async () => {
    const [user, other] = [await register(), await register()];
    expect((await changeEmail(user, other.email).expect(409)).body.code).toBe('email_taken');
    const email = anAddress();
    const { body } = await changeEmail(user, email).expect(202);
    const squatter = await register(aPerson({ email }));
    expect((await verify(body.verification_token).expect(409)).body.code).toBe('email_taken');
    expect((await me(user)).email).toBe(user.email);
    expect((await me(squatter)).email).toBe(email);
  });

  test('ends reset tokens that the old address has', async () => {
    const user = await register();
    const { body: reset } = await app.http.post('/api/v1/auth/forgot-password').send({ email: user.email }).expect(200);
    const { body } = await changeEmail(user, anAddress()).expect(202);
    await verify(body.verification_token).expect(204);
    const use = app.http.post('/api/v1/auth/reset-password');
    await use.send({ token: reset.reset_token, password: 'a newer password' }).expect(400);
  });

  test('two concurrent verifications of one address by two users: one gets it', async () => {
    const [first, second] = [await register(), await register()];
    const email = anAddress();
    const tokens = [
      (await changeEmail(first, email).expect(202)).body.verification_token,
      (await changeEmail(second, email).expect(202)).body.verification_token,
    ];
    const statuses = (await Promise.all(tokens.map((token) => verify(token)))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([204, 409]);
  });
});

test('outside the local environment no token is in a response', async () => {
  const testnet = await startApp(authService, {
    APP_ENV: 'testnet',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
  });
  try {
    const user = await aRegisteredUser(testnet);
    expect(user.set).not.toHaveProperty('verification_token');
    const again = await testnet.http.post('/api/v1/auth/verify-email/resend').set(user.auth).expect(202);
    expect(again.body).toEqual({});
    await eventually('the mail', () => mailsTo(user.email).length > 0);
    const token = /token=([\w-]{43})/.exec(mailsTo(user.email).at(-1)?.text ?? '')?.[1] ?? '';
    await eventually('both mails', () => mailsTo(user.email).length === 2);
    await testnet.http
      .post('/api/v1/auth/verify-email')
      .send({ token })
      .expect((response) => {
        // The newer of the two mails may have been sent after `token` was read.
        expect([204, 400]).toContain(response.status);
      });
  } finally {
    await testnet.close();
  }
});
