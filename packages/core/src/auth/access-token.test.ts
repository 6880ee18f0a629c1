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

it('issues a token that says who, in what role, from when and until when', () => {
  const { token, expiresAt } = tokens.issue({ id: 7, role: 'admin' });
  const payload = jwt.verify(token, SECRET, { algorithms: ['HS256'] });
  expect(payload).toEqual({ sub: '7', user_id: 7, role: 'admin', iat: expect.any(Number), exp: expect.any(Number) });
  expect(payload).toMatchObject({ exp: expiresAt.getTime() / 1000 });
  expect(expiresAt.getTime() / 1000 - now()).toBeGreaterThan(3595);
  expect(tokens.verify(token)).toEqual({ id: 7, role: 'admin' });
});

it('lives as long as it is told to', () => {
  const { expiresAt } = accessTokens(SECRET, 60).issue({ id: 7, role: 'user' });
  expect(expiresAt.getTime() / 1000 - now()).toBeLessThanOrEqual(60);
});

it('accepts a clock that is a little ahead', () => {
  expect(tokens.verify(signed(claims({ iat: now() + 10 })))).toEqual({ id: 7, role: 'user' });
});

it('refuses from its last second on a token that it accepted before', () => {
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
  ['an expired one', () => signed(claims({ iat: now() - 120, exp: now() - 60 }))],
  ['one that expires this very second', () => signed(claims({ exp: now() }))],
  ['one that is not valid yet', () => signed(claims({ nbf: now() + 60 }))],
  ['one from the future', () => signed(claims({ iat: now() + 3600, exp: now() + 7200 }))],
  ['one without an end', () => signed(without('exp'))],
  ['one without a start', () => jwt.sign(claims(), SECRET, { noTimestamp: true })],
  ['one without a role', () => signed(without('role'))],
  ['one without a subject', () => signed(without('sub'))],
  ['an unknown role', () => signed(claims({ role: 'root' }))],
  ['a list of roles', () => signed(claims({ role: ['admin'] }))],
  ['subject 0', () => signed(claims({ sub: '0' }))],
  ['a subject that only begins with digits', () => signed(claims({ sub: '7 OR 1=1' }))],
  ['a negative subject', () => signed(claims({ sub: '-7' }))],
  ['a subject beyond exact numbers', () => signed(claims({ sub: '9007199254740993' }))],
  ['an end that is no integer', () => signed(claims({ exp: now() + 60.5 }))],
  ["somebody else's signature", () => signed(claims(), 'another-secret-of-more-than-thirty-two-bytes')],
  ['HS512', () => signed(claims(), SECRET, 'HS512')],
  ['HS384', () => signed(claims(), SECRET, 'HS384')],
  ['no signature (alg none)', () => jwt.sign(claims(), null, { algorithm: 'none' })],
  ['a payload that was changed', () => tampered(signed(claims()))],
  ['a text payload', () => jwt.sign('7', SECRET, { algorithm: 'HS256' })],
  ['nothing', () => ''],
  ['two dots', () => '..'],
  ['garbage', () => 'a.b.c'],
])('refuses %s', (_what, token) => {
  expect(tokens.verify(token())).toBeUndefined();
});

function tampered(token: string): string {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify(claims({ role: 'admin' }))).toString('base64url');
  return `${header}.${payload}.${signature}`;
}
