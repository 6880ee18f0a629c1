import jwt from 'jsonwebtoken';
import { accessTokens } from './access-token';

const SECRET = 'a-secret-of-more-than-thirty-two-bytes';
const tokens = accessTokens(SECRET);
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

it('issues a token with the user id, role, issue time and expiry', () => {
  const { token, expiresAt } = tokens.issue({ id: 7, role: 'admin' });
  const payload = jwt.verify(token, SECRET, { algorithms: ['HS256'] });
  expect(payload).toEqual({ sub: '7', user_id: 7, role: 'admin', iat: expect.any(Number), exp: expect.any(Number) });
  expect(payload).toMatchObject({ exp: expiresAt.getTime() / 1000 });
  expect(expiresAt.getTime() / 1000 - now()).toBeGreaterThan(3595);
  expect(tokens.verify(token)).toEqual({ id: 7, role: 'admin' });
});

it('uses the configured lifetime', () => {
  const { expiresAt } = accessTokens(SECRET, 60).issue({ id: 7, role: 'user' });
  expect(expiresAt.getTime() / 1000 - now()).toBeLessThanOrEqual(60);
});

it('accepts an issue time slightly in the future (clock skew)', () => {
  expect(tokens.verify(signed(claims({ iat: now() + 10 })))).toEqual({ id: 7, role: 'user' });
});

it('rejects a previously verified token once it has expired', () => {
  jest.useFakeTimers({ now: 1_800_000_000_000, doNotFake: ['nextTick', 'setImmediate'] });
  try {
    const { token } = accessTokens(SECRET, 60).issue({ id: 7, role: 'user' });
    expect(tokens.verify(token)).toEqual({ id: 7, role: 'user' });
    jest.setSystemTime(1_800_000_060_000);
    expect(tokens.verify(token)).toBeUndefined();
  } finally {
    jest.useRealTimers();
  }
});

it.each<[string, () => string]>([
  ['an expired token', () => signed(claims({ iat: now() - 120, exp: now() - 60 }))],
  ['a token that expires in the current second', () => signed(claims({ exp: now() }))],
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
  ['HS512', () => signed(claims(), SECRET, 'HS512')],
  ['HS384', () => signed(claims(), SECRET, 'HS384')],
  ['no signature (alg none)', () => jwt.sign(claims(), null, { algorithm: 'none' })],
  ['a modified payload', () => tampered(signed(claims()))],
  ['a text payload', () => jwt.sign('7', SECRET, { algorithm: 'HS256' })],
  ['an empty string', () => ''],
  ['two dots', () => '..'],
  ['garbage', () => 'a.b.c'],
])('rejects %s', (_what, token) => {
  expect(tokens.verify(token())).toBeUndefined();
});

function tampered(token: string): string {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify(claims({ role: 'admin' }))).toString('base64url');
  return `${header}.${payload}.${signature}`;
}
