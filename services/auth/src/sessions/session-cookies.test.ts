import { authService } from '@shop/auth';
import { rows, startApp, type TestApp } from '@shop/testing';
import { aPerson, aRegisteredUser, logIn, refresh } from '../../tests/people';

let app: TestApp;
let outside: TestApp;

beforeAll(async () => {
  const testnet = { APP_ENV: 'testnet', SMTP_HOST: 'localhost', CORS_ORIGINS: 'https://shop.test' };
  [app, outside] = await Promise.all([startApp(authService), startApp(authService, testnet)]);
});
afterAll(() => Promise.all([app.close(), outside.close()]));

const API = '/api/v1/auth';
const cookiesIn = ({ headers }: { headers: Record<string, unknown> }): string[] =>
  (headers['set-cookie'] as string[] | undefined) ?? [];
/** The Cookie header that a browser would send next. */
const jar = (response: { headers: Record<string, unknown> }): string =>
  cookiesIn(response)
    .map((cookie) => cookie.split(';')[0])
    .join('; ');

async function loggedIn() {
  const user = await aRegisteredUser(app);
  const { email, password } = user;
  const response = await app.http.post(`${API}/login?cookies=true`).send({ email, password }).expect(200);
  return { user, response, cookie: jar(response) };
}

describe('with cookies=true', () => {
  test('login and register set the tokens as cookies, and the body has none', async () => {
    const { response } = await loggedIn();
    const person = aPerson();
    const registered = await app.http.post(`${API}/register?cookies=true`).send(person).expect(201);
    for (const { headers, body } of [response, registered]) {
      const { verification_token, ...times } = body;
      expect(Object.keys(times).sort()).toEqual(['expires_at', 'expires_in', 'refresh_expires_at']);
      expect(headers['cache-control']).toBe('no-store');
      const [access, refreshing] = cookiesIn({ headers });
      expect(access).toMatch(/^access_token=[\w-]+\.[\w-]+\.[\w-]+; Max-Age=3600; Path=\/; HttpOnly; SameSite=Strict$/);
      expect(refreshing).toMatch(
        /^refresh_token=[\w-]{43}; Max-Age=2(591999|592000); Path=\/api\/v1\/auth; HttpOnly; SameSite=Strict$/,
      );
    }
  });

  test('outside the local environment they are sent over TLS only', async () => {
    const response = await outside.http.post(`${API}/register?cookies=true`).send(aPerson()).expect(201);
    expect(cookiesIn(response)).toEqual([expect.stringContaining('; Secure'), expect.stringContaining('; Secure')]);
  });

  test('a browser reads, refreshes and logs out with nothing but its cookies', async () => {
    const { user, cookie } = await loggedIn();
    expect((await app.http.get(`${API}/me`).set('Cookie', cookie).expect(200)).body.id).toBe(user.id);
    const refreshed = await app.http.post(`${API}/refresh`).set('Cookie', cookie).expect(200);
    expect(refreshed.body.token).toBeUndefined();
    const newer = jar(refreshed);
    expect(newer).not.toBe(cookie);
    await app.http.get(`${API}/me`).set('Cookie', newer).expect(200);
    const out = await app.http.post(`${API}/logout`).set('Cookie', newer).expect(204);
    expect(cookiesIn(out)).toEqual([
      'access_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict',
      'refresh_token=; Max-Age=0; Path=/api/v1/auth; HttpOnly; SameSite=Strict',
    ]);
    await app.http.post(`${API}/refresh`).set('Cookie', newer).expect(401);
  });

  test('a refresh with a token in the body sets cookies only if asked to', async () => {
    const user = await aRegisteredUser(app);
    const first = await refresh(app, user.set.refresh_token).expect(200);
    expect(cookiesIn(first)).toEqual([]);
    const { refresh_token } = first.body;
    const second = await app.http.post(`${API}/refresh?cookies=true`).send({ refresh_token }).expect(200);
    expect(cookiesIn(second)).toHaveLength(2);
    expect(second.body.refresh_token).toBeUndefined();
  });

  test('no script gets the tokens of a browser, whatever it asks for', async () => {
    const { cookie } = await loggedIn();
    const { text } = await app.http.post(`${API}/refresh?cookies=false`).set('Cookie', cookie).send({}).expect(200);
    expect(Object.keys(JSON.parse(text)).sort()).toEqual(['expires_at', 'expires_in', 'refresh_expires_at']);
  });
});

describe('another site', () => {
  test.each([
    ['refresh', { 'Sec-Fetch-Site': 'cross-site' }],
    ['logout', { 'Sec-Fetch-Site': 'cross-site' }],
    ['logout', { Origin: 'https://evil.test' }],
  ])('cannot %s with the cookies: %j', async (route, headers) => {
    const { cookie } = await loggedIn();
    const forged = await app.http.post(`${API}/${route}`).set('Cookie', cookie).set(headers).expect(403);
    expect(forged.body.code).toBe('cross_site_request');
    await app.http.post(`${API}/refresh`).set('Cookie', cookie).expect(200);
  });

  test('that CORS_ORIGINS names can', async () => {
    const response = await outside.http.post(`${API}/register?cookies=true`).send(aPerson()).expect(201);
    const headers = { Cookie: jar(response), Origin: 'https://shop.test', 'Sec-Fetch-Site': 'cross-site' };
    await outside.http.post(`${API}/refresh`).set(headers).expect(200);
  });
});

test('a login never continues the session whose cookies it was sent with (session fixation)', async () => {
  const attacker = await loggedIn();
  const victim = await aRegisteredUser(app);
  const { email, password } = victim;
  const login = app.http.post(`${API}/login?cookies=true`).set('Cookie', attacker.cookie).send({ email, password });
  const cookie = jar(await login.expect(200));
  expect(cookie).not.toContain(attacker.cookie.split('; ')[1]);
  const refreshed = await app.http.post(`${API}/refresh`).set('Cookie', attacker.cookie).expect(200);
  const { body } = await app.http.get(`${API}/me`).set('Cookie', jar(refreshed)).expect(200);
  expect(body.id).toBe(attacker.user.id);
  const families = await rows('SELECT id FROM sessions WHERE user_id = ?', [victim.id]);
  expect(families).toHaveLength(2);
});

test('a refresh or a logout without a token, here or as a cookie, is refused', async () => {
  for (const route of ['refresh', 'logout']) {
    for (const [json, path] of [
      [undefined, ''],
      [{}, 'refresh_token'],
    ] as const) {
      const { body } = await app.http.post(`${API}/${route}`).send(json).expect(400);
      expect(body.errors).toEqual([expect.objectContaining({ in: 'body', path, code: 'required' })]);
    }
  }
});

test('without cookies=true no cookie is set', async () => {
  const user = await aRegisteredUser(app);
  expect(cookiesIn(await logIn(app, user).expect(200))).toEqual([]);
  expect(cookiesIn(await app.http.post(`${API}/logout`).send({ refresh_token: 'unknown' }).expect(204))).toEqual([]);
  const { email, password } = user;
  const wrong = await app.http.post(`${API}/login?cookies=yes`).send({ email, password }).expect(400);
  expect(wrong.body.errors).toEqual([expect.objectContaining({ in: 'query', path: 'cookies' })]);
});
