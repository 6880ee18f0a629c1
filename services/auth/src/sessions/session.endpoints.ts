import { type Endpoint, endpoint, forbidden, noContent, notFound, ok, overloaded } from '@shop/core';
import type { logIn } from './log-in';
import type { logOut } from './log-out';
import type { logOutEverywhere } from './log-out-everywhere';
import type { refresh } from './refresh';
import { invalidCredentials, invalidRefreshToken } from './session.errors';
import { credentials, heldRefreshToken, tokenSet, whoseSessions } from './session.schemas';

export interface SessionUseCases {
  logIn: ReturnType<typeof logIn>;
  refresh: ReturnType<typeof refresh>;
  logOut: ReturnType<typeof logOut>;
  logOutEverywhere: ReturnType<typeof logOutEverywhere>;
}

const tag = 'auth';

export const sessionEndpoints = (useCases: SessionUseCases): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/login',
    tag,
    summary: 'Log in with email and password',
    access: 'public',
    body: credentials,
    answers: { 200: tokenSet },
    errors: [invalidCredentials, overloaded],
    handler: async ({ body }) => ok(await useCases.logIn(body)),
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/refresh',
    tag,
    summary: 'Change a refresh token for a new token set',
    description: 'The old refresh token is spent. A spent one presented again revokes all tokens of its login.',
    access: 'public',
    body: heldRefreshToken,
    answers: { 200: tokenSet },
    errors: [invalidRefreshToken],
    handler: async ({ body }) => ok(await useCases.refresh(body.refresh_token)),
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/logout',
    tag,
    summary: 'Revoke a refresh token; an unknown one is fine',
    access: 'public',
    body: heldRefreshToken,
    answers: { 204: 'empty' },
    handler: async ({ body }) => {
      await useCases.logOut(body.refresh_token);
      return noContent();
    },
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/logout/all',
    tag,
    summary: "Revoke all of one's refresh tokens; as an admin, also another user's",
    access: 'user',
    body: whoseSessions,
    answers: { 204: 'empty' },
    errors: [forbidden, notFound],
    handler: async ({ caller, body }) => {
      await useCases.logOutEverywhere(caller, body?.user_id ?? caller.id);
      return noContent();
    },
  }),
];
