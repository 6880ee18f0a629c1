import { createPublicKey, type KeyObject } from 'node:crypto';
import { googleUnavailable } from './google.errors';
import { publishedKeys } from './google.schemas';

/** PEM by key id. */
type Keys = Record<string, string>;

const FETCH_TIMEOUT_MS = 3000;
const MIN_LIFETIME_SECONDS = 60;
const MAX_LIFETIME_SECONDS = 86_400;

/** Google's signing keys, cached for the max-age of the response. Concurrent callers share one fetch. */
export class GoogleKeys {
  private cached: { keys: Keys; until: number } | undefined;
  private fetching: Promise<Keys> | undefined;

  constructor(private readonly url: string) {}

  async current(): Promise<Keys> {
    if (this.cached && this.cached.until > Date.now()) return this.cached.keys;
    this.fetching ??= this.fetchKeys();
    return await this.fetching;
  }

  private async fetchKeys(): Promise<Keys> {
    try {
      const response = await fetch(this.url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      if (!response.ok) throw new Error(`fetching the keys failed with status ${response.status}`);
      const keys = asPem(await response.json());
      this.cached = { keys, until: Date.now() + lifetimeSeconds(response.headers.get('cache-control')) * 1000 };
      return keys;
    } catch (error) {
      throw googleUnavailable({ cause: error });
    } finally {
      this.fetching = undefined;
    }
  }
}

/** At least a minute: otherwise an uncacheable response would cost one fetch per sign-in. */
function lifetimeSeconds(cacheControl: string | null): number {
  const maxAge = Number(/max-age=(\d{1,9})/.exec(cacheControl ?? '')?.[1] ?? 0);
  return Math.min(Math.max(maxAge, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS);
}

/** Throws if there is no usable key: caching such a response would make every token look forged. */
function asPem(body: unknown): Keys {
  const published = publishedKeys.parse(body);
  const keys = Array.isArray(published.keys)
    ? published.keys
        .filter(({ kty }) => kty === 'RSA')
        .map((key): [string, KeyObject] => [key.kid, createPublicKey({ key, format: 'jwk' })])
    : Object.entries(published).map(([id, pem]): [string, KeyObject] => [id, createPublicKey(pem)]);
  if (keys.length === 0) throw new Error('no keys were published');
  return Object.fromEntries(keys.map(([id, key]) => [id, key.export({ type: 'spki', format: 'pem' }).toString()]));
}
