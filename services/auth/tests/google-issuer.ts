import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CLIENT_ID = 'this-shop.apps.googleusercontent.com';

export interface GoogleIssuer {
  /** `{ kid: PEM }`, as Google's v1 address answers. */
  certsUrl: string;
  /** A JWK set, as its v3 address answers. */
  jwksUrl: string;
  /** Answers with this status, or never. */
  failingUrl(status: number | 'never'): string;
  fetches(): number;
  /** From now on this JSON is published instead of the keys; undefined: the keys again. */
  publish(answer: unknown): void;
  /** An ID token that is right but for the overrides; undefined leaves a claim out. */
  idToken(claims?: Record<string, unknown>, options?: TokenOptions): string;
  /** The public key, for whoever tries to use it as a secret. */
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

/** Who signs in, as Google tells it. */
export const aGoogleAccount = () => ({ sub: `sub-${randomUUID()}`, email: `${randomUUID()}@example.com` });

/** Google as far as ID tokens go: publishes keys over HTTP and signs with them. */
export async function startGoogleIssuer(): Promise<GoogleIssuer> {
  const { publicKey, privateKey } = aKeyPair();
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  let fetches = 0;
  let instead: unknown;
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
    res.end(kind === 'broken' ? 'not JSON' : JSON.stringify(instead === undefined ? keys : instead));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    certsUrl: `${url}/certs`,
    jwksUrl: `${url}/jwks`,
    failingUrl: (status) => `${url}/${status === 200 ? 'broken' : 'certs'}/${status}`,
    fetches: () => fetches,
    publish(answer) {
      instead = answer;
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
