import { randomInt } from 'node:crypto';
import { authService } from '@shop/auth';
import { overloaded } from '@shop/core/errors';
import { aUser, figure, rows, scrape, startApp, type TestApp, useOwnDatabase } from '@shop/testing';
import { aPerson, aRegisteredUser, logIn } from '../../tests/people';
import type { PasswordHasher } from '../passwords/password-hasher';
import { createContext } from '../service';
import { logIn as logInUseCase } from '../sessions/log-in';
import { settings } from '../settings';

let apps: [TestApp, TestApp];

beforeAll(async () => {
  await useOwnDatabase();
  const env = { TRUST_PROXY: '127.0.0.1/32' };
  apps = [await startApp(authService, env), await startApp(authService, env)];
});
afterAll(() => Promise.all(apps.map((app) => app.close())));

const aClient = () => `203.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;

type Credentials = { email: string; password: string };
const WRONG = 'a wrong password';

/** Tries through both replicas in turn. */
let turn = 0;
const tryFrom = (client: string, person: Credentials, password = WRONG) =>
  logIn(apps[turn++ % 2] as TestApp, { ...person, password }).set('X-Forwarded-For', client);

const guess = async (person: Credentials, times: number) => {
  for (let i = 0; i < times; i++) await tryFrom(aClient(), person).expect(401);
};

const attemptsOf = async () =>
  (
    await rows<{ sent_at: string }>("SELECT sent_at FROM mail_quotas WHERE subject LIKE 'login:%' AND sent_at <> ''")
  ).map(({ sent_at }) => sent_at.split(',').length);

beforeEach(() => rows("DELETE FROM mail_quotas WHERE subject LIKE 'login:%'"));

test('after 10 failures from any addresses, a stranger gets 429, also with the right password', async () => {
  const user = await aRegisteredUser(apps[0]);
  await guess(user, 10);
  const { body, headers } = await tryFrom(aClient(), user, user.password).expect(429);
  expect(body.code).toBe('too_many_attempts');
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(900);
  // Refused tries are not counted.
  expect(await attemptsOf()).toEqual([10]);
});

test('50 concurrent guesses from 50 addresses get 10 answers', async () => {
  const user = await aRegisteredUser(apps[0]);
  const responses = await Promise.all(Array.from({ length: 50 }, () => tryFrom(aClient(), user)));
  const answered = responses.filter(({ status }) => status === 401);
  expect(answered).toHaveLength(10);
  // 503: a try that waited too long for the lock. Its password was not compared.
  expect(responses.filter(({ status }) => ![401, 429, 503].includes(status))).toEqual([]);
});

test('unknown email addresses, and accounts without a password, are counted alike', async () => {
  const passwordless = await aUser();
  for (const person of [aPerson(), { email: passwordless.email, password: '' }]) {
    await guess(person, 10);
    await tryFrom(aClient(), person).expect(429);
  }
});

test('the owner gets in from an address that has logged in before, which lets no stranger in', async () => {
  const client = aClient();
  const user = await aRegisteredUser(apps[0]);
  await tryFrom(client, user, user.password).expect(200);
  await guess(user, 10);
  await tryFrom(client, user, user.password).expect(200);
  await tryFrom(aClient(), user, user.password).expect(429);
  // Its own mistakes are not counted either.
  for (let i = 0; i < 11; i++) await tryFrom(client, user).expect(401);
  await tryFrom(client, user, user.password).expect(200);
});

test('the address of the registration is known, and all of an IPv6 /64 is one address', async () => {
  const person = aPerson();
  const register = apps[0].http.post('/api/v1/auth/register').send(person);
  await register.set('X-Forwarded-For', '2001:db8:1:2::1').expect(201);
  await guess(person, 10);
  await tryFrom('2001:db8:1:2:ffff::9', person, person.password).expect(200);
  await tryFrom('2001:db8:1:3::1', person, person.password).expect(429);
});

test('the address of a password reset is known', async () => {
  const user = await aRegisteredUser(apps[0]);
  await guess(user, 10);
  const { body } = await apps[0].http.post('/api/v1/auth/forgot-password').send({ email: user.email }).expect(200);
  const [client, password] = [aClient(), 'a newer password'];
  const reset = apps[0].http.post('/api/v1/auth/reset-password').send({ token: body.reset_token, password });
  await reset.set('X-Forwarded-For', client).expect(204);
  await tryFrom(client, user, password).expect(200);
});

test('a success is not a failure, and does not forgive others', async () => {
  const user = await aRegisteredUser(apps[0]);
  await guess(user, 9);
  await tryFrom(aClient(), user, user.password).expect(200);
  await tryFrom(aClient(), user, user.password).expect(200);
  await guess(user, 1);
  await tryFrom(aClient(), user, user.password).expect(429);
});

test('failures count for 15 minutes', async () => {
  const user = await aRegisteredUser(apps[0]);
  await guess(user, 10);
  const ago = (minutes: number) => Date.now() - minutes * 60_000;
  const setTimes = (times: number[]) =>
    rows("UPDATE mail_quotas SET sent_at = ? WHERE subject LIKE 'login:%'", [times.join(',')]);
  await setTimes([ago(14.5), ...Array.from({ length: 9 }, () => ago(10))]);
  const { headers } = await tryFrom(aClient(), user, user.password).expect(429);
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(30);
  await setTimes([ago(15), ...Array.from({ length: 9 }, () => ago(10))]);
  await tryFrom(aClient(), user, user.password).expect(200);
});

test('a try that was refused by overload is not counted', async () => {
  const ctx = createContext(apps[0].resources, settings.parse({ UPLOAD_PATH: '.' }));
  const passwordHasher: PasswordHasher = {
    ...ctx.passwordHasher,
    async match() {
      throw overloaded();
    },
  };
  const client = { ip: aClient(), userAgent: undefined, requestId: 'test' };
  const attempt = logInUseCase({ ...ctx, passwordHasher }, aPerson(), client);
  await expect(attempt).rejects.toMatchObject({ code: 'overloaded' });
  expect(await attemptsOf()).toEqual([]);
});

test('refused guesses are metered', async () => {
  const user = await aRegisteredUser(apps[0]);
  await guess(user, 10);
  const count = async () =>
    figure(await scrape(apps[0].url), 'logins_total', { method: 'password', outcome: 'too_many_attempts' });
  const before = await count();
  await logIn(apps[0], user).set('X-Forwarded-For', aClient()).expect(429);
  expect(await count()).toBe((before ?? 0) + 1);
});
