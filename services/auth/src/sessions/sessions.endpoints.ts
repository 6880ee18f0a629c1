import { forbidden, notFound, overloaded } from '@shop/core/errors';
import { type Endpoint, endpoint, idParams, listOf, listResponse, ok } from '@shop/core/http';
import type { AuthContext } from '../service';
import { listOwnSessions } from './list-own-sessions';
import { logIn } from './log-in';
import { logOut, logOutSession } from './log-out';
import { logOutEverywhere } from './log-out-everywhere';
import { refreshSession } from './refresh-session';
import { invalidCredentials, invalidRefreshToken } from './sessions.errors';
import { credentials, givenRefreshToken, logOutUser, session, sessionQuery, tokenSet } from './sessions.schemas';

const tag = 'auth';

export const sessionEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/login',
    tag,
    summary: 'Log in with email address and password',
    access: 'public',
    body: credentials,
    responses: { 200: tokenSet },
    errors: [invalidCredentials, overloaded],
    handler: async ({ body, clientIp, userAgent }) => {
      const login = logIn(ctx, body, { ip: clientIp, userAgent });
      return ok(await ctx.loginCounter.count('password', login));
    },
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/refresh',
    tag,
    summary: 'Exchange a refresh token for a new token set',
    description:
      'The old refresh token is used up. For a few seconds it can be sent again, by a second tab or by a client that has ' +
      'not received the response. Later, or after its successor was used, sending it again ends the session. A session ' +
      'lasts at most 90 days, whatever is refreshed.',
    access: 'public',
    body: givenRefreshToken,
    responses: { 200: tokenSet },
    errors: [invalidRefreshToken],
    handler: async ({ body }) => ok(await refreshSession(ctx, body.refresh_token)),
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/logout',
    tag,
    summary: 'End the session of a refresh token; an unknown token is ignored',
    access: 'public',
    body: givenRefreshToken,
    responses: { 204: 'empty' },
    handler: async ({ body }) => await logOut(ctx, body.refresh_token),
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/logout/all',
    tag,
    summary: 'End all your sessions; an admin can end those of another user',
    access: 'user',
    body: logOutUser,
    responses: { 204: 'empty' },
    errors: [forbidden, notFound],
    handler: async ({ caller, body }) => await logOutEverywhere(ctx, caller, body?.user_id ?? caller.id),
  }),

  endpoint({
    method: 'get',
    path: '/api/v1/auth/me/sessions',
    tag,
    summary: 'List your sessions: where you are logged in',
    access: 'user',
    query: sessionQuery,
    responses: { 200: listOf(session) },
    handler: async ({ caller, query }) => ok(listResponse(await listOwnSessions(ctx, caller, query), query)),
  }),

  endpoint({
    method: 'delete',
    path: '/api/v1/auth/me/sessions/:id',
    tag,
    summary: 'End one of your sessions',
    access: 'user',
    params: idParams,
    responses: { 204: 'empty' },
    errors: [notFound],
    handler: async ({ caller, params }) => await logOutSession(ctx, caller, params.id),
  }),
];
