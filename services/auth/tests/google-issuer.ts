import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT_ID = 'this-shop.apps.googleusercontent.com';

export interface GoogleIssuer {
  /** Serves `{ kid: PEM }`, like Google's v1 endpoint. */
  certsUrl: string;
  /** Serves a JWK set, like Google's v3 endpoint. */
  jwksUrl: string;
  /** Responds with this status, or never. */
  failingUrl(status: number | 'never'): string;
  fetches(): number;
  /** Publishes this JSON instead of the keys; undefined publishes the keys again. */
  publish(body: unknown): void;
  /** A valid ID token with overrides. undefined removes a claim. */
  idToken(claims?: Record<string, unknown>, options?: TokenOptions): string;
  /** The public key, for a test that uses it as a shared secret. */
  publicPem: string;
  close(): Promise<void>;
}

interface TokenOptions {
  header?: Record<string, unknown>;
  key?: KeyObject;
}

const KEY_ID = 'key-1';
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const aKeyPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The identity of a new Google account. */
export const aGoogleAccount = () => ({ sub: `sub-${randomUUID()}`, email: `${randomUUID()}@example.com` });

/** A fake Google that publishes keys over HTTP and signs ID tokens with them. */
export async function startGoogleIssuer(): Promise<GoogleIssuer> {
  const { publicKey, privateKey } = aKeyPair();
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  let fetches = 0;
  let replacement: unknown;
  const server = createServer((req, res) => {
    fetches += 1;
    const [, kind, status] = (req.url ?? '').split('/');
    if (status === 'never') return;
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' }] };
    res.writeHead(Number(status ?? 200), {
      'Content-Type': 'application/json',
      'Cache-Control': 'public, max-age=19000',
    });
    const keys = kind === 'jwks' ? jwks : { [KEY_ID]: publicPem };
    res.end(kind === 'broken' ? 'not JSON' : JSON.stringify(replacement === undefined ? keys : replacement));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    certsUrl: `${url}/certs`,
    jwksUrl: `${url}/jwks`,
    failingUrl: (status) => `${url}/${status === 200 ? 'broken' : 'certs'}/${status}`,
    fetches: () => fetches,
    publish(body) {
      replacement = body;
    },
    publicPem,
    idToken(claims = {}, { header = {}, key = privateKey } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: 'https://accounts.google.com',
        aud: CLIENT_ID,
        email_verified: true,
        name: 'Ada Lovelace',
        iat: now - 10,
        exp: now + 3600,
        ...aGoogleAccount(),
        ...claims,
      };
      const signed = `${encode({ alg: 'RS256', kid: KEY_ID, typ: 'JWT', ...header })}.${encode(payload)}`;
      return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
