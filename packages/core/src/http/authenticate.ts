import { parseCookie } from 'cookie';
import type { Request } from 'express';
import type { AccessTokens, Caller } from '../auth/access-token';
import { defineError } from '../errors/app-error';
import { forbidden, unauthenticated } from '../errors/common-errors';
import type { Access } from './endpoint';

export const crossSiteRequest = defineError(
  'forbidden',
  'cross_site_request',
  'A request from another site may not use the access_token cookie to change something.',
);

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Who calls, from the bearer token (RFC 6750) or, where that header is absent, the `access_token` cookie.
 * @returns undefined on a public endpoint without a token
 * @throws AppError `unauthenticated`, `forbidden` (not an admin), `cross_site_request`
 */
export function authenticate(req: Request, access: Access, tokens: AccessTokens): Caller | undefined {
  if (access === 'public') return undefined;
  const caller = tokens.verify(tokenOf(req) ?? '');
  if (!caller) throw unauthenticated();
  if (access === 'admin' && caller.role !== 'admin') throw forbidden({ message: 'Only an admin may do this.' });
  return caller;
}

function tokenOf(req: Request): string | undefined {
  const header = req.headers.authorization;
  if (header !== undefined) return /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
  const cookie = req.headers.cookie && parseCookie(req.headers.cookie).access_token;
  if (!cookie) return undefined;
  // Browsers attach cookies to other sites' requests too (CSRF); they also say so.
  if (!SAFE_METHODS.has(req.method) && req.headers['sec-fetch-site'] === 'cross-site') throw crossSiteRequest();
  return cookie;
}
