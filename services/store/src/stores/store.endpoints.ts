import {
  created,
  createdId,
  type Endpoint,
  endpoint,
  forbidden,
  idParams,
  listAnswer,
  listOf,
  noContent,
  notFound,
  ok,
} from '@shop/core';
import type { addStore } from './add-store';
import type { deleteStore } from './delete-store';
import type { listStores } from './list-stores';
import type { renameStore } from './rename-store';
import type { showStore } from './show-store';
import { storeHasTransactions } from './store.errors';
import { store, storeName, storeQuery } from './store.schemas';

export interface StoreUseCases {
  addStore: ReturnType<typeof addStore>;
  listStores: ReturnType<typeof listStores>;
  showStore: ReturnType<typeof showStore>;
  renameStore: ReturnType<typeof renameStore>;
  deleteStore: ReturnType<typeof deleteStore>;
}

const PATH = '/api/v1/stores';
const tag = 'stores';

export const storeEndpoints = (useCases: StoreUseCases): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    tag,
    summary: 'Open a store',
    access: 'user',
    body: storeName,
    answers: { 201: createdId },
    handler: async ({ caller, body }) => {
      const id = await useCases.addStore(caller, body.name);
      return created(`${PATH}/${id}`, { id });
    },
  }),

  endpoint({
    method: 'get',
    path: PATH,
    tag,
    summary: "List one's own stores; for an admin, all",
    access: 'user',
    query: storeQuery,
    answers: { 200: listOf(store) },
    handler: async ({ caller, query }) => ok(listAnswer(await useCases.listStores(caller, query), query)),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    tag,
    summary: 'Show a store to its owner or an admin',
    access: 'user',
    params: idParams,
    answers: { 200: store },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => ok(await useCases.showStore(caller, params.id)),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id`,
    tag,
    summary: 'Rename a store',
    access: 'user',
    params: idParams,
    body: storeName,
    answers: { 204: 'empty' },
    errors: [forbidden, notFound],
    handler: async ({ caller, params, body }) => {
      await useCases.renameStore(caller, params.id, body.name);
      return noContent();
    },
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id`,
    tag,
    summary: 'Delete a store and its products',
    access: 'user',
    params: idParams,
    answers: { 204: 'empty' },
    errors: [forbidden, notFound, storeHasTransactions],
    handler: async ({ caller, params }) => {
      await useCases.deleteStore(caller, params.id);
      return noContent();
    },
  }),
];
