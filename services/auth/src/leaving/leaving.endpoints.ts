import { forbidden, notFound } from '@shop/core/errors';
import { type Endpoint, endpoint, idParams, ok } from '@shop/core/http';
import { lastAdmin } from '../accounts/accounts.errors';
import { user } from '../accounts/accounts.schemas';
import { clientOf } from '../audit/client';
import { tooManyAttempts } from '../guessing/guessing.errors';
import { wrongPassword } from '../passwords/passwords.errors';
import type { AuthContext } from '../service';
import { usersTag } from '../tags';
import { deleteAccountOf, deleteOwnAccount } from './delete-account';
import { exportAccountOf, exportOwnAccount } from './export-account';
import { storeHasOpenOrders } from './leaving.errors';
import { accountDeletion, accountExport } from './leaving.schemas';

const WHAT_GOES =
  'Orders stay, with their copies of address and products. Everything else goes: the account, addresses, sessions, uploads, ' +
  'products, and stores that never had an order.';

export const leavingEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'get',
    path: '/api/v1/auth/me/export',
    operationId: 'exportOwnAccount',
    tag: usersTag,
    summary: 'Get everything that the shop keeps about you',
    access: 'user',
    responses: { 200: accountExport },
    handler: async ({ caller, ...input }) => ok(await exportOwnAccount(ctx, caller, clientOf(input))),
  }),

  endpoint({
    method: 'delete',
    path: '/api/v1/auth/me',
    operationId: 'deleteOwnAccount',
    tag: usersTag,
    summary: 'Delete your account',
    description: `${WHAT_GOES} Accounts without a password set one through a password reset first.`,
    access: 'user',
    body: accountDeletion,
    responses: { 204: 'empty' },
    ifMatch: user,
    errors: [wrongPassword, tooManyAttempts, storeHasOpenOrders, lastAdmin],
    handler: async ({ caller, body, ifMatch, ...input }) =>
      await deleteOwnAccount(ctx, caller, body.current_password, clientOf(input), ifMatch),
  }),

  endpoint({
    method: 'get',
    path: '/api/v1/auth/users/:id/export',
    operationId: 'exportUser',
    tag: usersTag,
    summary: 'Get everything that the shop keeps about a user',
    access: 'admin',
    params: idParams,
    responses: { 200: accountExport },
    errors: [forbidden, notFound],
    handler: async ({ caller, params, ...input }) => ok(await exportAccountOf(ctx, caller, params.id, clientOf(input))),
  }),

  endpoint({
    method: 'delete',
    path: '/api/v1/auth/users/:id',
    operationId: 'deleteUser',
    tag: usersTag,
    summary: "Delete a user's account",
    description: WHAT_GOES,
    access: 'admin',
    params: idParams,
    responses: { 204: 'empty' },
    ifMatch: user,
    errors: [forbidden, notFound, storeHasOpenOrders, lastAdmin],
    handler: async ({ caller, params, ifMatch, ...input }) =>
      await deleteAccountOf(ctx, caller, params.id, clientOf(input), ifMatch),
  }),
];
