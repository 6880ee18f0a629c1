import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { accessTokenIssuer, accessTokenVerifier } from './access-token';
import { privateKey, publicJwks, publicKeys, secretKey } from './token-key';

const SECRET = 'a-secret-of-more-than-thirty-two-bytes';
const KEY = secretKey(SECRET);
const tokens = accessTokenIssuer(KEY, { realm: 'shop' });
const verifier = accessTokenVerifier([KEY], 'shop');
const verdictOf = (token: string, by = verifier) => {
  const verified = by.verify(token);
  return typeof verified === 'string' ? verified : verified.caller;
};
const now = () => Math.floor(Date.now() / 1000);

const claims = (changes: object = {}): object => ({
  sub: '7',
  user_id: 7,
  role: 'user',
  iat: now(),
  exp: now() + 60,
  ...changes,
});
const signed = (payload: object, secret = SECRET, algorithm: jwt.Algorithm = 'HS256') =>
  jwt.sign(payload, secret, { algorithm });
const without = (key: string) => Object.fromEntries(Object.entries(claims()).filter(([name]) => name !== key));

it('issues a token with the user id, role, session, issuer, audience, issue time and expiry', () => {
  const { token, expiresAt } = tokens.issue({ id: 7, role: 'admin', sessionId: 'a-session' });
  const { header, payload } = jwt.verify(token, SECRET, { algorithms: ['HS256'], complete: true });
  expect(header).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: KEY.id });
  expect(payload).toEqual({
    iss: 'shop',
    aud: 'shop',
    sub: '7',
    user_id: 7,
    role: 'admin',
    sid: 'a-session',
    iat: expect.any(Number),
    exp: expiresAt.getTime() / 1000,
  });
  expect(expiresAt.getTime() / 1000 - now()).toBeGreaterThan(3595);
  expect(verdictOf(token)).toEqual({ id: 7, role: 'admin', sessionId: 'a-session' });
});

it('uses the configured lifetime', () => {
  const { expiresAt } = accessTokenIssuer(KEY, { lifetimeSeconds: 60 }).issue({ id: 7, role: 'user' });
  expect(expiresAt.getTime() / 1000 - now()).toBeLessThanOrEqual(60);
});

it('accepts the tokens of earlier releases, which name no key, issuer, audience and session', () => {
  expect(verdictOf(signed(claims()))).toEqual({ id: 7, role: 'user' });
});

it.each([{ aud: ['another', 'shop'] }, { iss: 'shop' }, { aud: 'shop' }])('accepts %j', (changes) => {
  expect(verdictOf(signed(claims(changes)))).toEqual({ id: 7, role: 'user' });
});

describe('with several keys', () => {
  const [next, previous] = [secretKey(`${SECRET}-next`), secretKey(`${SECRET}-previous`)];
  const rotating = accessTokenVerifier([KEY, next, previous], 'shop');

  it.each([
    ['the current', KEY],
    ['the next', next],
    ['the previous', previous],
  ])('accepts a token of %s one', (_what, key) => {
    const { token } = accessTokenIssuer(key, { realm: 'shop' }).issue({ id: 7, role: 'user' });
    expect(verdictOf(token, rotating)).toEqual({ id: 7, role: 'user' });
  });

  it('tries each of them for a token that names none', () => {
    const token = signed(claims(), `${SECRET}-previous`);
    expect(verdictOf(token, rotating)).toEqual({ id: 7, role: 'user' });
  });

  it('refuses a token of a key that was removed', () => {
    const { token } = accessTokenIssuer(previous, { realm: 'shop' }).issue({ id: 7, role: 'user' });
    expect(accessTokenVerifier([KEY, next], 'shop').verify(token)).toBe('invalid');
  });

  it('refuses a token that names another key than the one that signed it', () => {
    const header = { alg: 'HS256', kid: next.id };
    expect(rotating.verify(jwt.sign(claims(), SECRET, { algorithm: 'HS256', header }))).toBe('invalid');
  });
});

it('accepts an issue time slightly in the future (clock skew)', () => {
  expect(verdictOf(signed(claims({ iat: now() + 10 })))).toEqual({ id: 7, role: 'user' });
});

it('rejects a previously verified token once it has expired', () => {
  jest.useFakeTimers({ now: 1_800_000_000_000, doNotFake: ['nextTick', 'setImmediate'] });
  try {
    const { token } = accessTokenIssuer(KEY, { lifetimeSeconds: 60 }).issue({ id: 7, role: 'user' });
    expect(verdictOf(token)).toEqual({ id: 7, role: 'user' });
    jest.setSystemTime(1_800_000_060_000);
    expect(verdictOf(token)).toBe('expired');
  } finally {
    jest.useRealTimers();
  }
});

const expired = claims({ iat: now() - 120, exp: now() - 60 });

it.each([expired, claims({ exp: now() })])('says that a token of ours expired: %j', (payload) => {
  expect(verdictOf(signed(payload))).toBe('expired');
});

it.each<[string, () => string]>([
  ['an expired token with a wrong signature', () => signed(expired, 'another-secret-of-more-than-thirty-two-bytes')],
  ['an expired token without a signature', () => jwt.sign(expired, null, { algorithm: 'none' })],
  ['an expired token of another type', () => typed('logout+jwt', expired)],
  ['a token that is not valid yet (nbf)', () => signed(claims({ nbf: now() + 60 }))],
  ['a token issued in the future', () => signed(claims({ iat: now() + 3600, exp: now() + 7200 }))],
  ['a token without exp', () => signed(without('exp'))],
  ['a token without iat', () => jwt.sign(claims(), SECRET, { noTimestamp: true })],
  ['a token without a role', () => signed(without('role'))],
  ['a token without a subject', () => signed(without('sub'))],
  ['an unknown role', () => signed(claims({ role: 'root' }))],
  ['a list of roles', () => signed(claims({ role: ['admin'] }))],
  ['subject 0', () => signed(claims({ sub: '0' }))],
  ['a subject that only begins with digits', () => signed(claims({ sub: '7 OR 1=1' }))],
  ['a negative subject', () => signed(claims({ sub: '-7' }))],
  ['a subject above 2^53', () => signed(claims({ sub: '9007199254740993' }))],
  ['an exp that is not an integer', () => signed(claims({ exp: now() + 60.5 }))],
  ['a signature made with another key', () => signed(claims(), 'another-secret-of-more-than-thirty-two-bytes')],
  ['a token of another type', () => typed('logout+jwt')],
  ['a token of another issuer', () => signed(claims({ iss: 'another' }))],
  ['a token for another audience', () => signed(claims({ aud: 'another' }))],
  ['a token for several other audiences', () => signed(claims({ aud: ['one', 'two'] }))],
  ['an empty session', () => signed(claims({ sid: '' }))],
  ['a session that is not text', () => signed(claims({ sid: 7 }))],
  ['HS512', () => signed(claims(), SECRET, 'HS512')],
  ['HS384', () => signed(claims(), SECRET, 'HS384')],
  ['no signature (alg none)', () => jwt.sign(claims(), null, { algorithm: 'none' })],
  ['a modified payload', () => tampered(signed(claims()))],
  ['a text payload', () => jwt.sign('7', SECRET, { algorithm: 'HS256' })],
  ['an empty string', () => ''],
  ['two dots', () => '..'],
  ['garbage', () => 'a.b.c'],
  ['the text expired', () => jwt.sign('expired', SECRET, { algorithm: 'HS256' })],
])('rejects %s', (_what, token) => {
  expect(verdictOf(token())).toBe('invalid');
});

const typed = (typ: string, payload = claims()) =>
  jwt.sign(payload, SECRET, { algorithm: 'HS256', header: { alg: 'HS256', typ } });

const pemOf = (key: KeyObject) =>
  key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }).toString();
const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

describe.each(Object.entries(pairs))('with a private key for %s', (algorithm, pair) => {
  const publicPem = pemOf(pair.publicKey);
  const issuer = accessTokenIssuer(privateKey(pemOf(pair.privateKey)), { realm: 'shop' });
  const byPublicKey = accessTokenVerifier(publicKeys(publicPem), 'shop');
  const { token } = issuer.issue({ id: 7, role: 'user' });

  it('signs tokens that verify with the public key, and with no secret', () => {
    expect(jwt.decode(token, { complete: true })?.header).toEqual({
      alg: algorithm,
      typ: 'at+jwt',
      kid: publicKeys(publicPem)[0]?.id,
    });
    expect(verdictOf(token, byPublicKey)).toEqual({ id: 7, role: 'user' });
    expect(verifier.verify(token)).toBe('invalid');
  });

  it('refuses a token that is signed with the public key as a secret (algorithm confusion)', () => {
    for (const kid of [undefined, publicKeys(publicPem)[0]?.id]) {
      const header = { alg: 'HS256', ...(kid === undefined ? {} : { kid }) };
      const forged = jwt.sign(claims({ role: 'admin' }), publicPem, { algorithm: 'HS256', header });
      expect(byPublicKey.verify(forged)).toBe('invalid');
      expect(accessTokenVerifier([KEY, ...publicKeys(publicPem)], 'shop').verify(forged)).toBe('invalid');
    }
  });

  it('publishes the public key only', () => {
    const [jwk, ...others] = publicJwks([KEY, ...publicKeys(publicPem)]);
    expect(others).toEqual([]);
    expect(jwk).toMatchObject({ kid: publicKeys(publicPem)[0]?.id, alg: algorithm, use: 'sig' });
    expect(createPublicKey({ key: JSON.parse(JSON.stringify(jwk)), format: 'jwk' }).equals(pair.publicKey)).toBe(true);
    expect(JSON.stringify(jwk)).not.toMatch(/"[dpqk]":/);
  });
});

describe('keys in PEM', () => {
  const [one, two] = [pemOf(pairs.ES256.publicKey), pemOf(pairs.RS256.publicKey)];
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });

  it('can follow each other, with comments between them', () => {
    expect(publicKeys(`# current\n${one}\n# previous\n${two}`).map(({ algorithm }) => algorithm)).toEqual([
      'ES256',
      'RS256',
    ]);
  });

  it.each([
    ['nothing', '', /no public key/],
    ['a private key', pemOf(pairs.ES256.privateKey), /has a private key/],
    ['a broken key', one.replace('MF', 'AA'), /not a list of public keys/],
    ['a short RSA key', pemOf(weak.publicKey), /at least 2048 bits/],
    ['another curve', pemOf(other.publicKey), /P-256/],
  ])('%s is refused as public keys', (_what, pem, problem) => {
    expect(() => publicKeys(pem)).toThrow(problem);
  });

  it.each([
    ['a public key', one, /not a private key/],
    ['a short RSA key', pemOf(weak.privateKey), /at least 2048 bits/],
  ])('%s is refused as a private key', (_what, pem, problem) => {
    expect(() => privateKey(pem)).toThrow(problem);
  });
});

function tampered(token: string): string {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify(claims({ role: 'admin' }))).toString('base64url');
  return `${header}.${payload}.${signature}`;
}
