import { authService } from '@shop/auth';
import { rows, startApp, type TestApp } from '@shop/testing';
import { aGoogleAccount, CLIENT_ID, type GoogleIssuer, startGoogleIssuer } from '../../tests/google-issuer';
import { aRegisteredUser, logIn } from '../../tests/people';

let google: GoogleIssuer;

beforeEach(async () => {
  google = await startGoogleIssuer();
});
afterEach(() => google.close());

const signIn = (app: TestApp, idToken = google.idToken()) =>
  app.http.post('/api/v1/auth/sso/google').send({ id_token: idToken });

/** Starts a replica that fetches Google's keys from this URL. */
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
  test.each(['certsUrl', 'jwksUrl'] as const)('are accepted in the format of %s', (form) =>
    withKeysAt(google[form], async (app) => {
      await signIn(app).expect(200);
    }),
  );

  test('are fetched once, for concurrent and for later sign-ins', () =>
    withKeysAt(google.certsUrl, async (app) => {
      const responses = await Promise.all(Array.from({ length: 10 }, () => signIn(app)));
      expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200));
      await signIn(app).expect(200);
      await signIn(app, google.idToken({}, { header: { kid: 'unknown' } })).expect(401);
      expect(google.fetches()).toBe(1);
    }));

  test('are not fetched before the first sign-in', () =>
    withKeysAt(google.certsUrl, async (app) => {
      await aRegisteredUser(app);
      await app.http.post('/api/v1/auth/sso/google').send({}).expect(400);
      expect(google.fetches()).toBe(0);
    }));
});

describe('responds 503 and opens no account when the keys', () => {
  test('cannot be fetched because the connection is refused', async () => {
    const away = await startGoogleIssuer();
    await away.close();
    await withKeysAt(away.certsUrl, unavailable);
  });

  test.each([404, 500, 503])('are requested and the response has status %i', (status) =>
    withKeysAt(google.failingUrl(status), unavailable),
  );

  test('are not JSON', () => withKeysAt(google.failingUrl(200), unavailable));

  test.each([{}, { keys: [] }, [], null, 'keys', { error: 'not now' }, { keys: [{ kid: 'key-1', kty: 'RSA' }] }])(
    'are unusable: %j',
    async (response) => {
      google.publish(response);
      await withKeysAt(google.certsUrl, unavailable);
    },
  );

  test('never arrive: every caller gets the error within the deadline, and other requests do not wait', () =>
    withKeysAt(google.failingUrl('never'), async (app) => {
      const user = await aRegisteredUser(app);
      let hasFailed = false;
      const waiting = Promise.all([unavailable(app), unavailable(app)]).then(() => {
        hasFailed = true;
      });
      await logIn(app, user).expect(200);
      expect(hasFailed).toBe(false);
      await waiting;
      expect(google.fetches()).toBe(1);
    }));

  test('become available again: the next sign-in succeeds', () =>
    withKeysAt(google.certsUrl, async (app) => {
      google.publish({});
      await unavailable(app);
      google.publish(undefined);
      await signIn(app).expect(200);
    }));

  test('become unavailable after they were fetched: sign-ins continue with the cached keys', () =>
    withKeysAt(google.certsUrl, async (app) => {
      await signIn(app).expect(200);
      google.publish({});
      await signIn(app).expect(200);
    }));
});
