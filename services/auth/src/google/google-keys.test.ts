import { authService } from '@shop/auth';
import { rows, startApp, type TestApp } from '@shop/testing';
import { aGoogleAccount, CLIENT_ID, type GoogleIssuer, startGoogleIssuer } from '../../tests/google-issuer';
import { aRegistered, logIn } from '../../tests/people';

let google: GoogleIssuer;

beforeEach(async () => {
  google = await startGoogleIssuer();
});
afterEach(() => google.close());

const signIn = (app: TestApp, idToken = google.idToken()) =>
  app.http.post('/api/v1/auth/sso/google').send({ id_token: idToken });

/** An instance that gets Google's keys at this address. */
async function withKeysAt(url: string, check: (app: TestApp) => Promise<void>): Promise<void> {
  const app = await startApp(authService, { GOOGLE_CLIENT_ID: CLIENT_ID, GOOGLE_CERTS_URL: url });
  try {
    await check(app);
  } finally {
    await app.close();
  }
}

const unavailable = async (app: TestApp): Promise<void> => {
  const person = aGoogleAccount();
  const { body, headers } = await signIn(app, google.idToken(person)).expect(503);
  expect([body.code, headers['retry-after']]).toEqual(['google_unavailable', '1']);
  expect(await rows('SELECT id FROM users WHERE email = ?', [person.email])).toEqual([]);
};

describe("Google's keys", () => {
  test.each(['certsUrl', 'jwksUrl'] as const)('are taken as published at %s', (form) =>
    withKeysAt(google[form], async (app) => {
      await signIn(app).expect(200);
    }),
  );

  test('are fetched once, for callers who come together and for those who come later', () =>
    withKeysAt(google.certsUrl, async (app) => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => signIn(app)));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      await signIn(app).expect(200);
      await signIn(app, google.idToken({}, { header: { kid: 'unknown' } })).expect(401);
      expect(google.fetches()).toBe(1);
    }));

  test('are not asked for before somebody needs them', () =>
    withKeysAt(google.certsUrl, async (app) => {
      await aRegistered(app);
      await app.http.post('/api/v1/auth/sso/google').send({}).expect(400);
      expect(google.fetches()).toBe(0);
    }));
});

describe('Google cannot be reached, so the answer is 503 and no account is opened, where the keys', () => {
  test('are refused at the port', async () => {
    const away = await startGoogleIssuer();
    await away.close();
    await withKeysAt(away.certsUrl, unavailable);
  });

  test.each([404, 500, 503])('are answered with status %i', (status) =>
    withKeysAt(google.failingUrl(status), unavailable),
  );

  test('are not JSON', () => withKeysAt(google.failingUrl(200), unavailable));

  test.each([{}, { keys: [] }, [], null, 'keys', { error: 'not now' }, { keys: [{ kid: 'key-1', kty: 'RSA' }] }])(
    'are none: %j',
    async (answer) => {
      google.publish(answer);
      await withKeysAt(google.certsUrl, unavailable);
    },
  );

  test('never come: everybody hears so within the deadline, and others do not wait', () =>
    withKeysAt(google.failingUrl('never'), async (app) => {
      const user = await aRegistered(app);
      let answered = false;
      const waiting = Promise.all([unavailable(app), unavailable(app)]).then(() => {
        answered = true;
      });
      await logIn(app, user).expect(200);
      expect(answered).toBe(false);
      await waiting;
      expect(google.fetches()).toBe(1);
    }));

  test('were away, and are back: the next caller signs in', () =>
    withKeysAt(google.certsUrl, async (app) => {
      google.publish({});
      await unavailable(app);
      google.publish(undefined);
      await signIn(app).expect(200);
    }));

  test('go away after they were fetched: who has them signs on', () =>
    withKeysAt(google.certsUrl, async (app) => {
      await signIn(app).expect(200);
      google.publish({});
      await signIn(app).expect(200);
    }));
});
