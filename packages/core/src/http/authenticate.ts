import { parseCookie } from 'cookie';
import type { Request } from 'express';
import {
  type AccessTokenVerifier,
  type Caller,
  expiredAccessToken,
  invalidAccessToken,
  type Revocations,
} from '../auth';
import { crossSiteRequest, forbidden, unauthenticated } from '../errors';
import type { Access } from './endpoint';
import type { MaybePromise } from './maybe-promise';

interface AuthenticationDeps {
  tokens: AccessTokenVerifier;
  revocations: Revocations;
  /** Other sites that may send requests for their users (CORS_ORIGINS). With '*', none may write with the cookie. */
  origins: '*' | string[];
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Authenticates the caller by the bearer token (RFC 6750) or, without that header, by the `access_token` cookie.
 * @returns undefined on a public endpoint; a promise only if the known revocations are old
 * @throws AppError `unauthenticated`, `forbidden` (not an admin), `cross_site_request`, or the database error while it cannot
 *   be known whether the token was revoked
 */
export function authenticate(
  req: Request,
  access: Access,
  { tokens, revocations, origins }: AuthenticationDeps,
): MaybePromise<Caller | undefined> {
  if (access === 'public') return undefined;
  const sent = tokenOf(req, origins);
  if (sent === undefined) throw unauthenticated();
  const token = tokens.verify(sent);
  if (token === 'expired') throw expiredAccessToken();
  if (token === 'invalid') throw invalidAccessToken();
  const admit = (isRevoked: boolean): Caller => {
    if (isRevoked) throw invalidAccessToken();
    if (access === 'admin' && token.caller.role !== 'admin') throw forbidden({ message: 'Only an admin may do this.' });
    return token.caller;
  };
  const isRevoked = revocations.isRevoked(token);
  return isRevoked instanceof Promise ? isRevoked.then(admit) : admit(isRevoked);
}

/** @returns undefined if there is none */
function tokenOf(req: Request, origins: AuthenticationDeps['origins']): string | undefined {
  const header = req.headers.authorization;
  // With another scheme, the request has no token of ours.
  if (header !== undefined) return /^Bearer\b *(.*)$/i.exec(header)?.[1];
  return cookieOf(req, 'access_token', origins);
}

/** @throws AppError `cross_site_request` */
export function cookieOf(req: Request, name: string, origins: AuthenticationDeps['origins']): string | undefined {
  const cookie = req.headers.cookie && parseCookie(req.headers.cookie)[name];
  if (!cookie) return undefined;
  if (!SAFE_METHODS.has(req.method) && isCrossSite(req, origins)) throw crossSiteRequest();
  return cookie;
}

/** Browsers attach cookies to requests from other sites too (CSRF). They send Sec-Fetch-Site only over TLS. */
function isCrossSite({ headers }: Request, origins: AuthenticationDeps['origins']): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (origin !== undefined && origins !== '*' && origins.includes(origin)) return false;
  if (site !== undefined) return site === 'cross-site';
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}
