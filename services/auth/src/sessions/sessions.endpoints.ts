import { publicJwks } from '@shop/core/auth';
import { forbidden, invalidRequest, notFound } from '@shop/core/errors';
import { type Endpoint, endpoint, idParams, listEndpoint, noContent, ok } from '@shop/core/http';
import { clientOf } from '../audit/client';
import { tooManyAttempts } from '../guessing/guessing.errors';
import {
  factorNotConfigured,
  invalidCode,
  secondFactorRequired,
  tooManyCodes,
} from '../second-factor/second-factor.errors';
import type { AuthContext } from '../service';
import { authTag } from '../tags';
import { listOwnSessions } from './list-own-sessions';
import { logIn } from './log-in';
import { logOut, logOutSession } from './log-out';
import { logOutEverywhere } from './log-out-everywhere';
import { refreshSession } from './refresh-session';
import { REFRESH_COOKIE, removedCookies, tokenResponse } from './session-cookies';
import { invalidCredentials, invalidRefreshToken } from './sessions.errors';
import {
  credentials,
  givenRefreshToken,
  logOutUser,
  publicKeySet,
  session,
  sessionQuery,
  tokenQuery,
  tokens,
} from './sessions.schemas';

/** @throws AppError `invalid_request` if the request has neither */
function refreshTokenOf(body: { refresh_token?: string | undefined } | undefined, cookie: string | undefined): string {
  const token = body?.refresh_token ?? cookie;
  if (token !== undefined) return token;
  const [path, message] = body ? ['refresh_token', 'is required'] : ['', 'a JSON body is required'];
  throw invalidRequest({ errors: [{ in: 'body', path, code: 'required', message }] });
}

export const sessionEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/login',
    operationId: 'logIn',
    tag: authTag,
    summary: 'Log in with email address and password',
    description:
      'After 10 wrong passwords for an email address within 15 minutes, clients that have never logged in to its account get a ' +
      '429. Clients that have logged in to it before are neither counted nor refused. An account with a second factor ' +
      'needs a code, too. Without it, the response to a right password is 401 `second_factor_required`. After 5 wrong codes for ' +
      'an account within 15 minutes, all clients get a 429.',
    access: 'public',
    query: tokenQuery,
    body: credentials,
    responses: { 200: tokens },
    setsCookies: true,
    errors: [invalidCredentials, secondFactorRequired, invalidCode, tooManyAttempts, tooManyCodes, factorNotConfigured],
    handler: async ({ query, body, ...input }) => {
      const login = logIn(ctx, body, clientOf(input));
      return tokenResponse(await ctx.loginCounter.count('password', login), query.cookies === 'true');
    },
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/refresh',
    operationId: 'refreshTokens',
    tag: authTag,
    summary: 'Exchange a refresh token for a new token set',
    description:
      'The old refresh token is used up. For a few seconds it can be sent again, by a second tab or by a client that has ' +
      'not received the response. Later, or after its successor was used, sending it again ends the session. A session ' +
      'lasts at most 90 days, whatever is refreshed. A token that came as a cookie is replaced by cookies.',
    access: 'public',
    query: tokenQuery,
    cookie: REFRESH_COOKIE,
    body: givenRefreshToken,
    responses: { 200: tokens },
    setsCookies: true,
    errors: [invalidRefreshToken],
    handler: async ({ query, body, cookie, ...input }) => {
      const set = await refreshSession(ctx, refreshTokenOf(body, cookie), clientOf(input));
      return tokenResponse(set, query.cookies === 'true' || body?.refresh_token === undefined);
    },
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/logout',
    operationId: 'logOut',
    tag: authTag,
    summary: 'End the session of a refresh token; an unknown token is ignored',
    access: 'public',
    cookie: REFRESH_COOKIE,
    body: givenRefreshToken,
    responses: { 204: 'empty' },
    setsCookies: true,
    handler: async ({ body, cookie, ...input }) => {
      await logOut(ctx, refreshTokenOf(body, cookie), clientOf(input));
      return noContent(cookie === undefined ? [] : removedCookies());
    },
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/logout/all',
    operationId: 'logOutEverywhere',
    tag: authTag,
    summary: 'End all your sessions; an admin can end those of another user',
    access: 'user',
    body: logOutUser,
    responses: { 204: 'empty' },
    errors: [forbidden, notFound],
    handler: async ({ caller, body, ...input }) =>
      await logOutEverywhere(ctx, caller, body?.user_id ?? caller.id, clientOf(input)),
  }),

  endpoint({
    method: 'get',
    path: '/.well-known/jwks.json',
    operationId: 'getPublicKeys',
    tag: authTag,
    summary: 'Get the public keys that verify access tokens (RFC 7517); none if a shared secret signs them',
    access: 'public',
    responses: { 200: publicKeySet },
    handler: async () => ({
      ...ok({ keys: publicJwks(ctx.config.tokenKeys) }),
      headers: { 'Cache-Control': 'public, max-age=300' },
    }),
  }),

  listEndpoint({
    path: '/api/v1/auth/me/sessions',
    operationId: 'listSessions',
    tag: authTag,
    summary: 'List your sessions: where you are logged in',
    access: 'user',
    query: sessionQuery,
    item: session,
    list: async ({ caller, query }) => await listOwnSessions(ctx, caller, query),
  }),

  endpoint({
    method: 'delete',
    path: '/api/v1/auth/me/sessions/:id',
    operationId: 'endSession',
    tag: authTag,
    summary: 'End one of your sessions',
    access: 'user',
    params: idParams,
    responses: { 204: 'empty' },
    errors: [notFound],
    handler: async ({ caller, params, ...input }) => await logOutSession(ctx, caller, params.id, clientOf(input)),
  }),
];
