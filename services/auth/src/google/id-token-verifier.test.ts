import { createHmac } from 'node:crypto';
import { authService } from '@shop/auth';
import { rows, startApp, type TestApp } from '@shop/testing';
import { aGoogleAccount, aKeyPair, CLIENT_ID, type GoogleIssuer, startGoogleIssuer } from '../../tests/google-issuer';
import { aRegisteredUser, claimsOf } from '../../tests/people';

const PATH = '/api/v1/auth/sso/google';
let google: GoogleIssuer;
let app: TestApp;

beforeAll(async () => {
  google = await startGoogleIssuer();
  app = await startApp(authService, { GOOGLE_CLIENT_ID: CLIENT_ID, GOOGLE_CERTS_URL: google.certsUrl });
});
afterAll(() => Promise.all([app.close(), google.close()]));

const signIn = (idToken: unknown) => app.http.post(PATH).send({ id_token: idToken });
const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset;

describe('an ID token is refused and opens no account', () => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const withPayload = (token: string, changes: object): string => {
    const [header, , signature] = token.split('.');
    return `${header}.${encode({ ...claimsOf(token), ...changes })}.${signature}`;
  };
  const unsigned = (token: string): string => `${encode({ alg: 'none', kid: 'key-1' })}.${token.split('.')[1]}.`;
  /** Signed with the public key as if it were a shared secret. */
  const confused = (token: string): string => {
    const signed = `${encode({ alg: 'HS256', kid: 'key-1', typ: 'JWT' })}.${token.split('.')[1]}`;
    return `${signed}.${createHmac('sha256', google.publicPem).update(signed).digest('base64url')}`;
  };
  type Claims = Record<string, unknown>;

  test.each<[string, (person: Claims) => string]>([
    ['for another application', (person) => google.idToken({ ...person, aud: 'another.apps.googleusercontent.com' })],
    ['for several applications', (person) => google.idToken({ ...person, aud: [CLIENT_ID, 'another'] })],
    ['for no application', (person) => google.idToken({ ...person, aud: undefined })],
    ['from another issuer', (person) => google.idToken({ ...person, iss: 'https://accounts.google.com.evil.test' })],
    ['from no issuer', (person) => google.idToken({ ...person, iss: undefined })],
    ['expired', (person) => google.idToken({ ...person, iat: seconds(-3700), exp: seconds(-2) })],
    ['without expiry', (person) => google.idToken({ ...person, exp: undefined })],
    ['with an expiry that is a string', (person) => google.idToken({ ...person, exp: String(seconds(3600)) })],
    ['valid for longer than a day', (person) => google.idToken({ ...person, exp: seconds(200_000) })],
    ['from the future', (person) => google.idToken({ ...person, iat: seconds(1800) })],
    ['without an issue time', (person) => google.idToken({ ...person, iat: undefined })],
    ['with an unverified email address', (person) => google.idToken({ ...person, email_verified: false })],
    ['with "true" as verified', (person) => google.idToken({ ...person, email_verified: 'true' })],
    ['without email_verified', (person) => google.idToken({ ...person, email_verified: undefined })],
    ['without a subject', (person) => google.idToken({ ...person, sub: undefined })],
    ['with a number as subject', (person) => google.idToken({ ...person, sub: 0 })],
    ['with a subject of 256 characters', (person) => google.idToken({ ...person, sub: 'x'.repeat(256) })],
    ['signed with a foreign key', (person) => google.idToken(person, { key: aKeyPair().privateKey })],
    ['signed with an unpublished key', (person) => google.idToken(person, { header: { kid: 'key-2' } })],
    ['with an inherited property name as key id', (person) => google.idToken(person, { header: { kid: '__proto__' } })],
    ['without a key id', (person) => google.idToken(person, { header: { kid: undefined } })],
    ['modified after signing', (person) => withPayload(google.idToken(), person)],
    ['unsigned', (person) => unsigned(google.idToken(person))],
    ['signed with the public key as secret', (person) => confused(google.idToken(person))],
    ['truncated', (person) => google.idToken(person).slice(0, -10)],
  ])('%s', async (_title, make) => {
    const person = aGoogleAccount();
    const { body } = await signIn(make(person))
      .expect(401)
      .expect('WWW-Authenticate', /^Bearer /);
    expect(body.code).toBe('invalid_id_token');
    expect(await rows('SELECT id FROM users WHERE email = ?', [person.email])).toEqual([]);
  });

  test.each(['nobody', `${'x'.repeat(251)}@a.bc`, '\u212aay@example.com', undefined, 7])(
    'with the email address %j',
    async (email) => {
      const { sub } = aGoogleAccount();
      await signIn(google.idToken({ sub, email })).expect(401);
      expect(await rows('SELECT id FROM users WHERE google_sub = ?', [sub])).toEqual([]);
    },
  );

  test.each(['x', 'a.b.c', '..', 'bnVsbA.bnVsbA.x', 'e30.e30.e30', 'W10.W10.x'])(
    'if it is not a JWT: %j',
    async (idToken) => {
      expect((await signIn(idToken).expect(401)).body.code).toBe('invalid_id_token');
    },
  );

  test.each([{}, { id_token: '' }, { id_token: 0 }, { id_token: ['a.b.c'] }, { id_token: 'x'.repeat(16_385) }])(
    'if the request body is malformed (%#)',
    async (body) => {
      const response = await app.http.post(PATH).send(body).expect(400);
      expect(new Set(response.body.errors.map(({ path }: { path: string }) => path))).toEqual(new Set(['id_token']));
    },
  );

  test('if it is an access token of this shop', async () => {
    const { set } = await aRegisteredUser(app);
    await signIn(set.token).expect(401);
  });

  test('also for an existing account: it is not linked and gets no session', async () => {
    const registered = await aRegisteredUser(app);
    await signIn(google.idToken({ ...aGoogleAccount(), email: registered.email, email_verified: false })).expect(401);
    expect(await rows('SELECT google_sub FROM users WHERE id = ?', [registered.id])).toEqual([{ google_sub: null }]);
    expect(await rows('SELECT id FROM refresh_tokens WHERE user_id = ?', [registered.id])).toHaveLength(1);
  });
});
