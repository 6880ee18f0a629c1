import { authService } from '@shop/auth';
import { figure, type Sample, scrape, startApp, type TestApp } from '@shop/testing';
import { aGoogleAccount, CLIENT_ID, type GoogleIssuer, startGoogleIssuer } from '../../tests/google-issuer';
import { aPerson, aRegisteredUser, logIn } from '../../tests/people';

let google: GoogleIssuer;
let app: TestApp;
beforeAll(async () => {
  google = await startGoogleIssuer();
  app = await startApp(authService, { GOOGLE_CLIENT_ID: CLIENT_ID, GOOGLE_CERTS_URL: google.certsUrl });
});
afterAll(() => Promise.all([app.close(), google.close()]));

const logins = (samples: Sample[], method: string, outcome: string) =>
  figure(samples, 'logins_total', { method, outcome });

test('counts logins by method and outcome, starting at 0', async () => {
  const first = await scrape(app.url);
  for (const [method, outcome] of [
    ['password', 'success'],
    ['password', 'invalid_credentials'],
    ['google', 'success'],
    ['google', 'invalid_id_token'],
  ] as const) {
    expect([method, outcome, logins(first, method, outcome)]).toEqual([method, outcome, 0]);
  }

  const user = await aRegisteredUser(app);
  await logIn(app, user).expect(200);
  await logIn(app, { ...user, password: 'a wrong password' }).expect(401);
  await logIn(app, aPerson()).expect(401);
  const signIn = (id_token: string) => app.http.post('/api/v1/auth/sso/google').send({ id_token });
  await signIn(google.idToken(aGoogleAccount())).expect(200);
  await signIn('x.y.z').expect(401);

  const after = await scrape(app.url);
  expect(logins(after, 'password', 'success')).toBe(1);
  expect(logins(after, 'password', 'invalid_credentials')).toBe(2);
  expect(logins(after, 'google', 'success')).toBe(1);
  expect(logins(after, 'google', 'invalid_id_token')).toBe(1);
});

test('counts a login that fails in the server by the error code of the response', async () => {
  const lost = await startApp(authService, { DB_PORT: '1' });
  await logIn(lost, aPerson()).expect(503);
  expect(logins(await scrape(lost.url), 'password', 'database_unavailable')).toBe(1);
  await lost.close();
});
