import { authService } from '@shop/auth';
import { aUser, rows, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser, logIn, type Registered, refresh } from '../../tests/people';

let app: TestApp;

beforeAll(async () => {
  app = await startApp(authService);
});
afterAll(() => app.close());

const NEW = 'a newer password';
const change = (auth: { Authorization: string }, current_password: string, password = NEW) =>
  app.http.put('/api/v1/auth/me/password').set(auth).send({ current_password, password });
const anotherSession = async (user: Registered) => (await logIn(app, user).expect(200)).body;

test('the new password counts, and the old one does not', async () => {
  const user = await aRegisteredUser(app);
  await change(user.auth, user.password).expect(204);
  await logIn(app, user).expect(401);
  await logIn(app, { ...user, password: NEW }).expect(200);
});

test('ends all other sessions, and keeps this one', async () => {
  const user = await aRegisteredUser(app);
  const other = await anotherSession(user);
  await change(user.auth, user.password).expect(204);
  await refresh(app, other.refresh_token).expect(401);
  await refresh(app, user.set.refresh_token).expect(200);
});

test('ends reset tokens', async () => {
  const user = await aRegisteredUser(app);
  const { body } = await app.http.post('/api/v1/auth/forgot-password').send({ email: user.email }).expect(200);
  await change(user.auth, user.password).expect(204);
  const use = app.http.post('/api/v1/auth/reset-password');
  await use.send({ token: body.reset_token, password: 'another password' }).expect(400);
});

test('is refused with a wrong password, without one, and for a weak or malformed one', async () => {
  const user = await aRegisteredUser(app);
  expect((await change(user.auth, 'a wrong password').expect(403)).body.code).toBe('wrong_password');
  expect((await change((await aUser()).auth, 'any password').expect(403)).body.code).toBe('wrong_password');
  expect((await change(user.auth, user.password, 'password').expect(400)).body.code).toBe('weak_password');
  expect((await change(user.auth, user.password, 'short').expect(400)).body.code).toBe('invalid_request');
  await app.http.put('/api/v1/auth/me/password').send({}).expect(401);
  await logIn(app, user).expect(200);
});

test('one of several concurrent changes wins', async () => {
  const user = await aRegisteredUser(app);
  const passwords = ['first password', 'second password', 'third password'];
  const responses = await Promise.all(passwords.map((password) => change(user.auth, user.password, password)));
  const winners = passwords.filter((_, index) => responses[index]?.status === 204);
  expect(winners).toHaveLength(1);
  await logIn(app, { ...user, password: winners[0] ?? '' }).expect(200);
  expect(await rows('SELECT id FROM users WHERE id = ?', [user.id])).toHaveLength(1);
});
