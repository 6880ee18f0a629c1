import type { ResponseCookie } from '@shop/core/http';
import type { TokenSet } from './sessions.schemas';

/** Where browsers send it: to refresh and logout only. */
const REFRESH_PATH = '/api/v1/auth';
export const REFRESH_COOKIE = 'refresh_token';

const cookiesWith = (access: [value: string, maxAgeSeconds: number], refresh: typeof access): ResponseCookie[] => [
  { name: 'access_token', path: '/', value: access[0], maxAgeSeconds: access[1] },
  { name: REFRESH_COOKIE, path: REFRESH_PATH, value: refresh[0], maxAgeSeconds: refresh[1] },
];

/** Removes the cookies of a session. */
export const removedCookies = (): ResponseCookie[] => cookiesWith(['', 0], ['', 0]);

/**
 * A response with tokens. With cookies, the body has none: otherwise a script that an attacker
 * injects into the shop's page could read them.
 */
export function tokenResponse<T extends TokenSet>(
  set: T,
  asCookies: boolean,
): { status: 200; body: T | Omit<T, 'token' | 'refresh_token'>; cookies: ResponseCookie[] } {
  if (!asCookies) return { status: 200, body: set, cookies: [] };
  const { token, refresh_token, ...times } = set;
  const refreshSeconds = Math.max(1, Math.floor((Date.parse(set.refresh_expires_at) - Date.now()) / 1000));
  const cookies = cookiesWith([token, set.expires_in], [refresh_token, refreshSeconds]);
  return { status: 200, body: times, cookies };
}
