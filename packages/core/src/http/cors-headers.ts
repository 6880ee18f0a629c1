import cors from 'cors';
import type { Request, Response } from 'express';
import { headersSetBy, setHeaderList } from './header-list';

/** Response headers that scripts from other origins may read. */
const EXPOSED_HEADERS = [
  'Link',
  'Location',
  'ETag',
  'X-Request-Id',
  'X-Cache',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Idempotent-Replayed',
  'WWW-Authenticate',
];

/** Sets the CORS headers of a response. All responses but those to preflights have the same ones, so these are made once for each origin. */
export function corsHeaders(origins: '*' | string[]): (req: Request, res: Response) => void {
  const handlePreflight = cors({
    origin: origins,
    // Never allow credentials with a wildcard: any site could send requests for the user.
    credentials: origins !== '*',
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
    // The rate limit must count preflights before `respondToPreflight` responds.
    preflightContinue: true,
  });
  const listFor = (origin?: string) => headersSetBy(handlePreflight, origin === undefined ? {} : { origin });
  const listsByOrigin = new Map(origins === '*' ? [] : origins.map((origin) => [origin, listFor(origin)]));
  const listForOthers = listFor();
  return function setCorsHeaders(req, res) {
    if (isPreflight(req)) handlePreflight(req, res, () => undefined);
    // The cors package treats any OPTIONS as a preflight. Other OPTIONS requests get `Allow` from their route.
    else if (req.method !== 'OPTIONS') setHeaderList(res, listsByOrigin.get(req.headers.origin ?? '') ?? listForOthers);
  };
}

export const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && Boolean(headers['access-control-request-method']);
