import { forbidden, notFound } from '@shop/core/errors';
import { created, createdId, type Endpoint, endpoint, idParams, listEndpoint, ok } from '@shop/core/http';
import type { StoreContext } from '../service';
import { deleteStore } from './delete-store';
import { getStore } from './get-store';
import { renameStore } from './rename-store';
import { storeHasOrders } from './stores.errors';
import { store, storeName, storeQuery } from './stores.schemas';
import { insertStore, listStores } from './stores.sql';

const PATH = '/api/v1/stores';
const tag = {
  name: 'stores',
  description: 'Stores sell products. A registration opens the first, and a user can have several.',
};

export const storeEndpoints = (ctx: StoreContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    operationId: 'createStore',
    tag,
    summary: 'Open a store',
    access: 'user',
    idempotent: true,
    body: storeName,
    responses: { 201: createdId },
    handler: async ({ caller, body, attempt }) => {
      const { id } = await ctx.idempotency.once(
        attempt,
        async function openStore(sql) {
          return { id: await insertStore(sql, caller.id, body.name) };
        },
        { isOneStatement: true },
      );
      return created(`${PATH}/${id}`, { id });
    },
  }),

  listEndpoint({
    path: PATH,
    operationId: 'listStores',
    tag,
    summary: 'List your stores; an admin gets all stores',
    access: 'user',
    query: storeQuery,
    item: store,
    list: async ({ caller, query }) => {
      const owner = caller.role === 'admin' ? undefined : caller.id;
      return await listStores(ctx.db, owner, query);
    },
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    operationId: 'getStore',
    tag,
    summary: 'Get a store (owner or admin)',
    access: 'user',
    params: idParams,
    responses: { 200: store },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => ok(await getStore(ctx.db, caller, params.id)),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id`,
    operationId: 'renameStore',
    tag,
    summary: 'Rename a store',
    access: 'user',
    params: idParams,
    body: storeName,
    responses: { 204: 'empty' },
    ifMatch: store,
    errors: [forbidden, notFound],
    handler: async ({ caller, params, body, ifMatch }) => await renameStore(ctx, caller, params.id, body.name, ifMatch),
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id`,
    operationId: 'deleteStore',
    tag,
    summary: 'Delete a store and its products',
    access: 'user',
    params: idParams,
    responses: { 204: 'empty' },
    ifMatch: store,
    errors: [forbidden, notFound, storeHasOrders],
    handler: async ({ caller, params, ifMatch }) => await deleteStore(ctx, caller, params.id, ifMatch),
  }),
];
