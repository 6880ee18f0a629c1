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
import { fingerprint, idempotencyHeaders, idempotencyKeyReused } from '../idempotency/idempotency-key';
import type { changeStatus } from './change-status';
import type { listOrders } from './list-orders';
import {
  addressNotFound,
  insufficientStock,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalTooLarge,
} from './order.errors';
import { newOrder, order, orderDetails, orderQuery, statusChange } from './order.schemas';
import { invalidTransition } from './order-status';
import type { placeOrder } from './place-order';
import type { showOrder } from './show-order';

export interface OrderUseCases {
  placeOrder: ReturnType<typeof placeOrder>;
  listOrders: ReturnType<typeof listOrders>;
  showOrder: ReturnType<typeof showOrder>;
  changeStatus: ReturnType<typeof changeStatus>;
}

const PATH = '/api/v1/transactions';
/** The scope of an idempotency key, beside its user. */
const CHECKOUT = `POST ${PATH}`;
const tag = 'transactions';

export const orderEndpoints = (useCases: OrderUseCases): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    tag,
    summary: 'Buy products of one store',
    description:
      'All or nothing. Items of the same product are summed; the stock is taken, the prices and the address are kept as they are now. With an Idempotency-Key a retry gives the first answer again.',
    access: 'user',
    headers: idempotencyHeaders,
    body: newOrder,
    answers: { 201: createdId },
    errors: [
      addressNotFound,
      productNotFound,
      mixedStores,
      quantityTooLarge,
      insufficientStock,
      totalTooLarge,
      idempotencyKeyReused,
    ],
    handler: async ({ caller, headers: { 'idempotency-key': key }, body }) => {
      const keyed =
        key === undefined ? undefined : { userId: caller.id, route: CHECKOUT, key, hash: fingerprint(body) };
      const { id, replayed } = await useCases.placeOrder(caller, body, keyed);
      const answer = created(`${PATH}/${id}`, { id });
      return replayed ? { ...answer, headers: { ...answer.headers, 'Idempotent-Replayed': 'true' } } : answer;
    },
  }),

  endpoint({
    method: 'get',
    path: PATH,
    tag,
    summary: "List the buyer's transactions; for an admin, all; as=seller: those of one's own stores",
    access: 'user',
    query: orderQuery,
    answers: { 200: listOf(order) },
    handler: async ({ caller, query }) => ok(listAnswer(await useCases.listOrders(caller, query), query)),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    tag,
    summary: 'Show a transaction to its buyer, the owner of its store or an admin',
    access: 'user',
    params: idParams,
    answers: { 200: orderDetails },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => ok(await useCases.showOrder(caller, params.id)),
  }),

  endpoint({
    method: 'patch',
    path: `${PATH}/:id`,
    tag,
    summary: 'Take a transaction to its next status',
    description:
      'pending, paid, shipped, completed; pending and paid ones can be cancelled, which puts the stock back. The buyer may cancel while it is pending, the owner of the store may ship and cancel, an admin may do every step.',
    access: 'user',
    params: idParams,
    body: statusChange,
    answers: { 204: 'empty' },
    errors: [forbidden, notFound, invalidTransition],
    handler: async ({ caller, params, body }) => {
      await useCases.changeStatus(caller, params.id, body.status);
      return noContent();
    },
  }),
];
