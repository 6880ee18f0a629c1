import { createPublicKey } from 'node:crypto';
import { googleUnavailable } from './google.errors';
import { publishedKeys } from './google.schemas';

/** PEM by key id. */
type Keys = Record<string, string>;

export interface GoogleKeys {
  /** @throws AppError `google_unavailable` */
  current(): Promise<Keys>;
}

const FETCH_TIMEOUT_MS = 3000;
const MIN_LIFETIME_SECONDS = 60;
const MAX_LIFETIME_SECONDS = 86_400;

/** Google's signing keys, kept as long as its Cache-Control says; callers that come together share one fetch. */
export function googleKeys(url: string): GoogleKeys {
  let kept: { keys: Keys; until: number } | undefined;
  let fetching: Promise<Keys> | undefined;

  async function fetchKeys(): Promise<Keys> {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
      if (!response.ok) throw new Error(`the keys were answered with status ${response.status}`);
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
      return fetching;
    },
  };
}

/** Bounded below, so that a header without caching does not make us ask for each sign-in. */
function lifetimeSeconds(cacheControl: string | null): number {
  const stated = Number(/max-age=(\d{1,9})/.exec(cacheControl ?? '')?.[1] ?? 0);
  return Math.min(Math.max(stated, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS);
}

function asPem(answer: unknown): Keys {
  const published = publishedKeys.parse(answer);
  if (!Array.isArray(published.keys)) return published as Keys;
  const rsaKeys = published.keys.filter(({ kty }) => kty === 'RSA');
  return Object.fromEntries(
    rsaKeys.map((key) => [
      key.kid,
      createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString(),
    ]),
  );
}
