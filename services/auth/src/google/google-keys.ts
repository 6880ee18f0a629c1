import { createPublicKey, type KeyObject } from 'node:crypto';
import { googleUnavailable } from './google.errors';
import { publishedKeys } from './google.schemas';

/** PEM by key id. */
type Keys = Record<string, string>;

export interface GoogleKeys {
  current(): Promise<Keys>;
}

const FETCH_TIMEOUT_MS = 3000;
const MIN_LIFETIME_SECONDS = 60;
const MAX_LIFETIME_SECONDS = 86_400;

/** Google's signing keys, cached as long as its Cache-Control says. Concurrent callers share one fetch. */
export function googleKeys(url: string): GoogleKeys {
  let kept: { keys: Keys; until: number } | undefined;
  let fetching: Promise<Keys> | undefined;

  async function fetchKeys(): Promise<Keys> {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      if (!response.ok) throw new Error(`the request for the keys got status ${response.status}`);
      const keys = asPem(await response.json());
      kept = { keys, until: Date.now() + lifetimeSeconds(response.headers.get('cache-control')) * 1000 };
      return keys;
    } catch (error) {
      throw googleUnavailable({ cause: error });
    } finally {
      fetching = undefined;
    }
  }

  return {
    async current() {
      if (kept && kept.until > Date.now()) return kept.keys;
      fetching ??= fetchKeys();
      return await fetching;
    },
  };
}

/** At least a minute, so that a response without caching does not cost a request for each sign-in. */
function lifetimeSeconds(cacheControl: string | null): number {
  const stated = Number(/max-age=(\d{1,9})/.exec(cacheControl ?? '')?.[1] ?? 0);
  return Math.min(Math.max(stated, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS);
}

/** Throws where there is no usable key: if such a response were cached, every token would look forged. */
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
