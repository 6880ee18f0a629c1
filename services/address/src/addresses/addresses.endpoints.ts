import { forbidden, notFound } from '@shop/core/errors';
import { created, createdId, type Endpoint, endpoint, idParams, listEndpoint, ok } from '@shop/core/http';
import type { AddressContext } from '../service';
import { address, addressChange, addressQuery, newAddress } from './addresses.schemas';
import { insertAddress, listAddresses } from './addresses.sql';
import { changeAddress } from './change-address';
import { deleteAddress } from './delete-address';
import { getAddress } from './get-address';

const PATH = '/api/v1/addresses';
const tag = { name: 'addresses', description: 'Where orders are shipped to. Each user has their own.' };

export const addressEndpoints = (ctx: AddressContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    operationId: 'createAddress',
    tag,
    summary: 'Add a shipping address',
    access: 'user',
    idempotent: true,
    body: newAddress,
    responses: { 201: createdId },
    handler: async ({ caller, body, attempt }) => {
      const { id } = await ctx.idempotency.once(
        attempt,
        async function addAddress(sql) {
          return { id: await insertAddress(sql, caller.id, body) };
        },
        { isOneStatement: true },
      );
      return created(`${PATH}/${id}`, { id });
    },
  }),

  listEndpoint({
    path: PATH,
    operationId: 'listAddresses',
    tag,
    summary: 'List your addresses',
    description:
      '`label` matches any part of the label; `city` and `postal_code` match the whole value. Case-insensitive.',
    access: 'user',
    query: addressQuery,
    item: address,
    list: async ({ caller, query }) => await listAddresses(ctx.db, caller.id, query),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    operationId: 'getAddress',
    tag,
    summary: 'Get an address (owner or admin)',
    access: 'user',
    params: idParams,
    responses: { 200: address },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => ok(await getAddress(ctx.db, caller, params.id)),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id`,
    operationId: 'updateAddress',
    tag,
    summary: 'Update the given fields of an address',
    access: 'user',
    params: idParams,
    body: addressChange,
    responses: { 204: 'empty' },
    ifMatch: address,
    errors: [forbidden, notFound],
    handler: async ({ caller, params, body, ifMatch }) => await changeAddress(ctx, caller, params.id, body, ifMatch),
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id`,
    operationId: 'deleteAddress',
    tag,
    summary: 'Delete an address; existing orders keep their copy',
    access: 'user',
    params: idParams,
    responses: { 204: 'empty' },
    ifMatch: address,
    errors: [forbidden, notFound],
    handler: async ({ caller, params, ifMatch }) => await deleteAddress(ctx, caller, params.id, ifMatch),
  }),
];
