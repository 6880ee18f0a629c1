import {
  created,
  createdId,
  type Endpoint,
  endpoint,
  forbidden,
  idParams,
  listAnswer,
  listOf,
  notFound,
  ok,
} from '@shop/core';
import type { listOrders } from './list-orders';
import { addressNotFound, insufficientStock, mixedStores, productNotFound, totalTooLarge } from './order.errors';
import { newOrder, order, orderQuery, orderWithLogs } from './order.schemas';
import type { placeOrder } from './place-order';
import type { showOrder } from './show-order';

export interface OrderUseCases {
  placeOrder: ReturnType<typeof placeOrder>;
  listOrders: ReturnType<typeof listOrders>;
  showOrder: ReturnType<typeof showOrder>;
}

const PATH = '/api/v1/transactions';
const tag = 'transactions';

export const orderEndpoints = (useCases: OrderUseCases): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    tag,
    summary: 'Buy products of one store',
    description:
      'All or nothing. Items of the same product are summed; the stock is taken, the prices and the address are kept as they are now.',
    access: 'user',
    body: newOrder,
    answers: { 201: createdId },
    errors: [addressNotFound, productNotFound, mixedStores, insufficientStock, totalTooLarge],
    handler: async ({ caller, body }) => {
      const id = await useCases.placeOrder(caller, body);
      return created(`${PATH}/${id}`, { id });
    },
  }),

  endpoint({
    method: 'get',
    path: PATH,
    tag,
    summary: "List the buyer's transactions; for an admin, all",
    access: 'user',
    query: orderQuery,
    answers: { 200: listOf(order) },
    handler: async ({ caller, query }) => ok(listAnswer(await useCases.listOrders(caller, query), query)),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    tag,
    summary: 'Show a transaction to its buyer or an admin',
    access: 'user',
    params: idParams,
    answers: { 200: orderWithLogs },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => ok(await useCases.showOrder(caller, params.id)),
  }),
];
