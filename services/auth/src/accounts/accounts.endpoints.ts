import { forbidden, notFound } from '@shop/core/errors';
import { created, type Endpoint, endpoint, idParams, listEndpoint, ok } from '@shop/core/http';
import { clientOf } from '../audit/client';
import { weakPassword } from '../passwords/passwords.errors';
import type { AuthContext } from '../service';
import { tokenResponse } from '../sessions/session-cookies';
import { tokenQuery } from '../sessions/sessions.schemas';
import { authTag, usersTag } from '../tags';
import { emailTaken, lastAdmin, phoneTaken } from './accounts.errors';
import { newAccount, registeredTokens, user, userChange, userQuery } from './accounts.schemas';
import { listUsers } from './accounts.sql';
import { changeUser } from './change-user';
import { getOwnUser } from './get-own-user';
import { getUser } from './get-user';
import { register } from './register';

const USERS = '/api/v1/auth/users';

export const accountEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/register',
    operationId: 'register',
    tag: authTag,
    summary: 'Register an account with its first store',
    access: 'public',
    query: tokenQuery,
    body: newAccount,
    responses: { 201: registeredTokens },
    setsCookies: true,
    errors: [emailTaken, phoneTaken, weakPassword],
    handler: async ({ query, body, ...input }) => {
      const { id, tokenSet } = await register(ctx, body, clientOf(input));
      const response = tokenResponse(tokenSet, query.cookies === 'true');
      return { ...created(`${USERS}/${id}`, response.body), cookies: response.cookies };
    },
  }),

  endpoint({
    method: 'get',
    path: '/api/v1/auth/me',
    operationId: 'getOwnAccount',
    tag: usersTag,
    summary: 'Get your own account',
    access: 'user',
    responses: { 200: user },
    handler: async ({ caller }) => ok(await getOwnUser(ctx, caller)),
  }),

  listEndpoint({
    path: USERS,
    operationId: 'listUsers',
    tag: usersTag,
    summary: 'List all users',
    access: 'admin',
    query: userQuery,
    item: user,
    list: async ({ query }) => await listUsers(ctx.db, query),
  }),

  ...[
    { operationId: 'getUser', path: `${USERS}/:id` },
    { operationId: 'getUserByShortPath', path: '/api/v1/users/:id' },
  ].map((at) =>
    endpoint({
      method: 'get',
      ...at,
      tag: usersTag,
      summary: 'Get a user (the user or an admin)',
      access: 'user',
      params: idParams,
      responses: { 200: user },
      errors: [forbidden, notFound],
      handler: async ({ caller, params }) => ok(await getUser(ctx, caller, params.id)),
    }),
  ),

  endpoint({
    method: 'put',
    path: `${USERS}/:id`,
    operationId: 'updateUser',
    tag: usersTag,
    summary: 'Update name, phone or role; only an admin can change a role',
    description:
      "If `role` is sent, the caller's own role is read from the database, not from the access token. The last admin cannot be demoted.",
    access: 'user',
    params: idParams,
    body: userChange,
    responses: { 204: 'empty' },
    ifMatch: user,
    errors: [forbidden, notFound, phoneTaken, lastAdmin],
    handler: async ({ caller, params, body, ifMatch, ...input }) =>
      await changeUser(ctx, caller, params.id, body, clientOf(input), ifMatch),
  }),
];
