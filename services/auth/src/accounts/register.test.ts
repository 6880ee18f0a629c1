import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { aUser, rows, startApp, type TestApp } from '@shop/testing';
import { aPerson, aRegisteredUser, claimsOf, logIn } from '../../tests/people';

const PATH = '/api/v1/auth/register';
let app: TestApp;

beforeAll(async () => {
  app = await startApp(authService);
});
afterAll(() => app.close());

const register = (body: object) => app.http.post(PATH).send(body);
const usersWith = (email: string) =>
  rows<{ id: number; name: string; email: string; phone: string; password_hash: string; role: string }>(
    'SELECT id, name, email, phone, password_hash, role FROM users WHERE email = ?',
    [email],
  );
const storesOf = (userId: number) => rows<{ name: string }>('SELECT name FROM stores WHERE user_id = ?', [userId]);

describe('registering', () => {
  test('opens an account with a store and a session, and stores secrets as hashes', async () => {
    const person = aPerson({ name: '  Zoë 🛒 ' });
    const response = await register(person).expect(201);

    const [user, ...others] = await usersWith(person.email);
    expect(others).toEqual([]);
    expect(user).toMatchObject({ name: 'Zoë 🛒', phone: person.phone, role: 'user' });
    expect(user?.password_hash).toMatch(/^\$2b\$10\$/);
    expect(response.headers.location).toBe(`/api/v1/auth/users/${user?.id}`);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(await storesOf(user?.id ?? 0)).toEqual([{ name: "Zoë 🛒's Store" }]);

    const { token, refresh_token } = response.body;
    expect(claimsOf(token)).toMatchObject({ sub: String(user?.id), user_id: user?.id, role: 'user' });
    expect(refresh_token).toMatch(/^[\w-]{43}$/);
    const sessions = await rows<{ token_hash: string }>('SELECT token_hash FROM refresh_tokens WHERE user_id = ?', [
      user?.id ?? 0,
    ]);
    expect(sessions).toHaveLength(1);
    expect(JSON.stringify(sessions)).not.toContain(refresh_token);
  });

  test('returns a token set with consistent times', async () => {
    const before = Date.now();
    const { body } = await register(aPerson()).expect(201);
    const { exp, iat, user_id } = claimsOf(body.token) as { exp: number; iat: number; user_id: number };
    expect(Object.keys(body).sort()).toEqual(
      ['expires_at', 'expires_in', 'refresh_expires_at', 'refresh_token', 'token', 'verification_token'].sort(),
    );
    expect(body.expires_in).toBe(3600);
    expect(exp - iat).toBe(3600);
    expect(body.expires_at).toBe(new Date(exp * 1000).toISOString());
    const refreshDays = (Date.parse(body.refresh_expires_at) - before) / 86_400_000;
    expect(refreshDays).toBeCloseTo(30, 2);
    const [row] = await rows<{ expires_at: Date }>('SELECT expires_at FROM refresh_tokens WHERE user_id = ?', [
      user_id,
    ]);
    expect(row?.expires_at.toISOString()).toBe(body.refresh_expires_at);
  });

  test('uses the configured token lifetimes', async () => {
    const short = await startApp(authService, { ACCESS_TOKEN_EXP_SECONDS: '60', REFRESH_TOKEN_EXP_SECONDS: '120' });
    try {
      const { body } = await short.http.post(PATH).send(aPerson()).expect(201);
      expect(body.expires_in).toBe(60);
      const { exp, iat } = claimsOf(body.token) as { exp: number; iat: number };
      expect(exp - iat).toBe(60);
      expect(Date.parse(body.refresh_expires_at)).toBeLessThanOrEqual(Date.now() + 120_000);
    } finally {
      await short.close();
    }
  });

  test('stores the email address in lower case and the phone as digits', async () => {
    const person = aPerson();
    const [country, area, rest] = [person.phone.slice(0, 3), person.phone.slice(3, 6), person.phone.slice(6)];
    const phone = ` ${country} (${area}) ${rest.slice(0, 2)}-${rest.slice(2, 4)}.${rest.slice(4)} `;
    await register({ ...person, email: ` ${person.email.toUpperCase()} `, phone }).expect(201);
    const [user] = await usersWith(person.email);
    expect(user).toMatchObject({ email: person.email, phone: person.phone });
  });

  test.each([
    ['every character that HTML allows in a local part', (mark: string) => `a.!#$%&'*+/=?^_\`{|}~-${mark}@example.com`],
    ['dots in any position', (mark: string) => `.${mark}..a.@example.com`],
    ['a punycode domain', (mark: string) => `ada@xn--mller-kva.${mark}.xn--p1ai`],
    ['a domain without a dot', (mark: string) => `ada@${mark}`],
    ['254 characters', (mark: string) => `${mark}${'x'.repeat(249 - mark.length)}@a.bc`],
    ['a label of 63 characters', (mark: string) => `${mark}@${'x'.repeat(63)}.example`],
  ])('accepts an email address with %s, and login finds it', async (_title, addressWith) => {
    const person = aPerson({ email: addressWith(randomUUID()) });
    await register(person).expect(201);
    expect(await usersWith(person.email)).toHaveLength(1);
    const { body } = await logIn(app, { ...person, email: person.email.toUpperCase() }).expect(200);
    expect(claimsOf(body.token)).toMatchObject({ role: 'user' });
    expect((await register(aPerson({ email: person.email })).expect(409)).body.code).toBe('email_taken');
    await app.http.post('/api/v1/auth/forgot-password').send({ email: person.email }).expect(200);
    const admin = await aUser({ role: 'admin' });
    const found = await app.http.get('/api/v1/auth/users').query({ search: person.email }).set(admin.auth).expect(200);
    expect(found.body.data).toMatchObject([{ email: person.email }]);
  });

  test('truncates the store name to 255 characters without splitting an emoji', async () => {
    const person = aPerson({ name: '🛒'.repeat(255) });
    await register(person).expect(201);
    const [user] = await usersWith(person.email);
    expect(user?.name).toBe(person.name);
    expect(await storesOf(user?.id ?? 0)).toEqual([{ name: person.name }]);
  });

  test.each([
    ['8 characters', 'eight ch'],
    ['256 emoji, 1024 bytes', '🔑'.repeat(256)],
    ['256 characters in NFC, and 512 in NFD', 'é'.normalize('NFD').repeat(256)],
    ['spaces at both ends', '  spaces  '],
    ['a common password in another case', 'PASSWORD'],
  ])('accepts a password with %s, and login does', async (_title, password) => {
    const person = aPerson({ password });
    await register(person).expect(201);
    await logIn(app, { ...person, password }).expect(200);
    await logIn(app, { ...person, password: `${password}x` }).expect(401);
  });

  test('the Unicode form of a password does not matter', async () => {
    const [composed, decomposed] = ['Zoë’s café', 'Zoë’s café'.normalize('NFD')];
    const [first, second] = [aPerson({ password: composed }), aPerson({ password: decomposed })];
    for (const person of [first, second]) {
      await register(person).expect(201);
      await logIn(app, { ...person, password: composed }).expect(200);
      await logIn(app, { ...person, password: decomposed }).expect(200);
    }
  });
});

describe('registering is refused', () => {
  test('with an email address in use, ignoring case, and stores nothing', async () => {
    const { email } = await aRegisteredUser(app);
    const person = aPerson({ email: email.toUpperCase() });
    const response = await register(person).expect(409);
    expect(response.body.code).toBe('email_taken');
    expect(await rows('SELECT id FROM users WHERE phone = ?', [person.phone])).toEqual([]);
  });

  test('with a phone number in use, in any notation', async () => {
    const { phone } = await aRegisteredUser(app);
    const person = aPerson({ phone: phone.replace(/(\d{3})/g, '$1 ') });
    const response = await register(person).expect(409);
    expect(response.body.code).toBe('phone_taken');
    expect(await usersWith(person.email)).toEqual([]);
  });

  test('for all but one of several concurrent registrations of one email address', async () => {
    const email = aPerson().email;
    const responses = await Promise.all(Array.from({ length: 8 }, () => register(aPerson({ email }))));
    expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
    const [user, ...others] = await usersWith(email);
    expect(others).toEqual([]);
    expect(await storesOf(user?.id ?? 0)).toHaveLength(1);
  });

  test('and reports every invalid field at once', async () => {
    const wrong = { name: ' ', email: 'nobody', phone: '12', password: 'short', role: 'admin' };
    const { body } = await register(wrong).expect(400);
    expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(
      ['email', 'name', 'password', 'phone', 'role'].sort(),
    );
  });

  test.each(['password', '12345678', 'qwertyuiop', 'iloveyou', 'trustno1'])(
    'with the common password %s',
    async (password) => {
      const person = aPerson({ password });
      const { body } = await register(person).expect(400);
      expect(body).toMatchObject({ code: 'weak_password', errors: [{ in: 'body', path: 'password' }] });
      expect(await usersWith(person.email)).toEqual([]);
    },
  );

  test.each([
    ['a name of 256 characters', 'name', 'x'.repeat(256)],
    ['a NUL in the name', 'name', 'a\0b'],
    ['an email address of 255 characters', 'email', `${'x'.repeat(250)}@a.bc`],
    ['an email address without a domain', 'email', 'a@'],
    ['an email address without a local part', 'email', '@example.com'],
    ['an email address with a label of 64 characters', 'email', `a@${'x'.repeat(64)}.com`],
    ['a domain label that ends in a hyphen', 'email', 'a@example-.com'],
    ['a quoted local part', 'email', '"a b"@example.com'],
    ['a domain with non-ASCII letters', 'email', 'a@m\u00fcller.example'],
    ['an email address in angle brackets', 'email', '<a@example.com>'],
    ['two email addresses', 'email', 'two@example.com, three@example.com'],
    ['an email address whose Kelvin sign would become a k', 'email', '\u212aay@example.com'],
    ['a NUL in the email address', 'email', 'a\0@example.com'],
    ['a phone number of 5 digits', 'phone', '12345'],
    ['a phone number of 21 digits', 'phone', '1'.repeat(21)],
    ['a plus inside the phone number', 'phone', '+49+30123456'],
    ['a letter in the phone number', 'phone', '123456x'],
    ['non-ASCII digits in the phone number', 'phone', '١٢٣٤٥٦٧'],
    ['a JSON number as phone number', 'phone', 123456],
    ['a password of 7 characters', 'password', '🔑'.repeat(7)],
    ['a password of 257 characters', 'password', 'x'.repeat(257)],
    ['a password of 14 characters that are 7 in NFC', 'password', 'é'.normalize('NFD').repeat(7)],
    ['a NUL in the password', 'password', 'a\0bcdefgh'],
    ['an array as password', 'password', ['a good password']],
    ['no password', 'password', undefined],
  ])('with %s', async (_title, field, value) => {
    const { body } = await register(aPerson({ [field]: value })).expect(400);
    const paths = body.errors.map((error: { in: string; path: string }) => `${error.in}.${error.path}`);
    expect(new Set(paths)).toEqual(new Set([`body.${field}`]));
  });
});
