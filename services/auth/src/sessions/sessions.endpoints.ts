import { forbidden, notFound, overloaded } from '@shop/core/errors';
import { type Endpoint, endpoint, ok } from '@shop/core/http';
import type { AuthContext } from '../service';
import { logIn } from './log-in';
import { logOut } from './log-out';
import { logOutEverywhere } from './log-out-everywhere';
import { refreshSession } from './refresh-session';
import { invalidCredentials, invalidRefreshToken } from './sessions.errors';
import { credentials, givenRefreshToken, logOutUser, tokenSet } from './sessions.schemas';

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
    handler: async ({ body }) => ok(await ctx.loginCounter.count('password', logIn(ctx, body))),
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/refresh',
    tag,
    summary: 'Exchange a refresh token for a new token set',
    description: 'The old refresh token cannot be used again. Using it again revokes all tokens of its session.',
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
];
