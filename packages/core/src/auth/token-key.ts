import { createHash, createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

/** A key of access tokens. It is only used with its own algorithm, whatever the header of a token names. */
export interface TokenKey {
  /** The `kid` in the header of its tokens. */
  id: string;
  algorithm: 'HS256' | 'ES256' | 'RS256';
  key: KeyObject;
}

/** A public key as a JSON Web Key (RFC 7517). */
export interface PublicJwk {
  kty: string;
  kid: string;
  use: 'sig';
  alg: string;
  crv?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
  n?: string | undefined;
  e?: string | undefined;
}

const MIN_RSA_BITS = 2048;

/** A secret that signs and verifies. */
export function secretKey(secret: string): TokenKey {
  // Given a string, jsonwebtoken first tries to parse it as a public key on every call, which takes half a millisecond.
  const key = createSecretKey(Buffer.from(secret));
  // As safe to publish as a signature: both allow to test a guess, and the secret is too long to guess.
  const id = createHash('sha256').update(`kid ${secret}`).digest('base64url').slice(0, 12);
  return { id, algorithm: 'HS256', key };
}

/** A private key in PEM, which signs. @throws Error what is wrong with it, without its content */
export function privateKey(pem: string): TokenKey {
  const key = parsed(() => createPrivateKey(pem), 'is not a private key in PEM without a password');
  return { ...namesOf(createPublicKey(key)), key };
}

/** Public keys in PEM, one after the other, which verify. @throws Error what is wrong with them */
export function publicKeys(pem: string): TokenKey[] {
  const blocks = pem.match(/-----BEGIN [\s\S]+?-----END [^-]+-----/g) ?? [];
  if (blocks.length === 0) throw new Error('has no public key in PEM');
  return blocks.map((block) => {
    // Node would take the public half of it. But this setting is not secret.
    if (block.includes('PRIVATE KEY')) throw new Error('has a private key: only public keys belong here');
    const key = parsed(() => createPublicKey(block), 'is not a list of public keys in PEM');
    return { ...namesOf(key), key };
  });
}

/** The public keys among `keys`, for others who verify tokens. Secrets are left out. */
export const publicJwks = (keys: readonly TokenKey[]): PublicJwk[] =>
  keys
    .filter(({ key }) => key.type === 'public')
    .map(({ id, algorithm, key }) => {
      const { kty = '', crv, x, y, n, e } = key.export({ format: 'jwk' });
      return { kty, kid: id, use: 'sig', alg: algorithm, crv, x, y, n, e };
    });

function parsed(parse: () => KeyObject, problem: string): KeyObject {
  try {
    return parse();
  } catch {
    // The message of OpenSSL does not help.
    throw new Error(problem);
  }
}

/** The id is the key's thumbprint (RFC 7638). */
function namesOf(key: KeyObject): Omit<TokenKey, 'key'> {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const thumbprintOf = (members: object) => createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') {
    return { id: thumbprintOf({ crv, kty, x, y }), algorithm: 'ES256' };
  }
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS) {
    return { id: thumbprintOf({ e, kty, n }), algorithm: 'RS256' };
  }
  throw new Error(`must be an EC key on the curve P-256 or an RSA key of at least ${MIN_RSA_BITS} bits`);
}
