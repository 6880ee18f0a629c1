import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { authService } from '@shop/auth';
import { storeService } from '@shop/store';
import { aUser, startApp, type TestApp } from '@shop/testing';
import { aRegisteredUser } from '../../tests/people';

/** The auth service signs with a private key. The others have only its public key, so they cannot make a token. */

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWT_PUBLIC_KEYS = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const JWT_PRIVATE_KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let auth: TestApp;
let store: TestApp;

beforeAll(async () => {
  const shared = { JWT_SECRET: '', JWT_PUBLIC_KEYS };
  [auth, store] = await Promise.all([
    startApp(authService, { ...shared, JWT_PRIVATE_KEY }),
    startApp(storeService, shared),
  ]);
});
afterAll(() => Promise.all([auth.close(), store.close()]));

test('a token of the auth service works on another service', async () => {
  const user = await aRegisteredUser(auth);
  await auth.http.get('/api/v1/auth/me').set(user.auth).expect(200);
  await store.http.get('/api/v1/stores').set(user.auth).expect(200);
});

test('a token that is signed with a shared secret, or with the public key as one, is refused', async () => {
  await store.http
    .get('/api/v1/stores')
    .set((await aUser()).auth)
    .expect(401);
  const iat = Math.floor(Date.now() / 1000);
  const parts = [{ alg: 'HS256' }, { sub: '1', role: 'admin', iat, exp: iat + 60 }];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = createHmac('sha256', JWT_PUBLIC_KEYS).update(signed).digest('base64url');
  await store.http.get('/api/v1/stores').set('Authorization', `Bearer ${signed}.${signature}`).expect(401);
});

test('while the secret is being replaced by the key pair, tokens of both are accepted', async () => {
  const both = await startApp(storeService, { JWT_PUBLIC_KEYS });
  await both.http
    .get('/api/v1/stores')
    .set((await aUser()).auth)
    .expect(200);
  await both.http
    .get('/api/v1/stores')
    .set((await aRegisteredUser(auth)).auth)
    .expect(200);
  await both.close();
});

describe('/.well-known/jwks.json', () => {
  test('has the public key, with which others can verify tokens', async () => {
    const { body, headers } = await auth.http.get('/.well-known/jwks.json').expect(200);
    expect(headers['cache-control']).toBe('public, max-age=300');
    const { token } = (await aRegisteredUser(auth)).set;
    const [jwk, ...others] = body.keys;
    expect(others).toEqual([]);
    const [header = '', payload = '', signature = ''] = token.split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ kid: jwk.kid, alg: jwk.alg });
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const signed = Buffer.from(`${header}.${payload}`);
    const isRight = (bytes: Buffer) => verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes);
    expect(isRight(Buffer.from(signature, 'base64url'))).toBe(true);
    expect(isRight(Buffer.alloc(64, 1))).toBe(false);
  });

  test('has no keys where a secret signs', async () => {
    const app = await startApp(authService);
    expect((await app.http.get('/.well-known/jwks.json').expect(200)).body).toEqual({ keys: [] });
    await app.close();
  });
});
