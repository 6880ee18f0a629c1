import { forbidden, notFound } from '@shop/core/errors';
import {
  created,
  createdId,
  type Endpoint,
  endpoint,
  idParams,
  listOf,
  listResponse,
  noContent,
  ok,
} from '@shop/core/http';
import type { TransactionContext } from '../service';
import { changeStatus } from './change-status';
import { getOrder } from './get-order';
import { idempotencyHeaders, idempotencyKeyReused } from './idempotency-key';
import { listOrders } from './list-orders';
import { invalidTransition } from './order-status';
import {
  addressNotFound,
  insufficientStock,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalTooLarge,
} from './orders.errors';
import { newOrder, order, orderDetails, orderQuery, statusChange } from './orders.schemas';
import { placeOrder } from './place-order';

const PATH = '/api/v1/transactions';
const tag = 'transactions';

export const orderEndpoints = (ctx: TransactionContext): Endpoint[] => [
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
    responses: { 201: createdId },
    errors: [
      addressNotFound,
      productNotFound,
      mixedStores,
      quantityTooLarge,
      insufficientStock,
      totalTooLarge,
      idempotencyKeyReused,
    ],
    handler: async ({ caller, headers, body }) => {
      const { id, replayed } = await placeOrder(ctx, caller, body, headers['idempotency-key']);
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
    responses: { 200: listOf(order) },
    handler: async ({ caller, query }) => ok(listResponse(await listOrders(ctx, caller, query), query)),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    tag,
    summary: 'Show a transaction to its buyer, the owner of its store or an admin',
    access: 'user',
    params: idParams,
    responses: { 200: orderDetails },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => ok(await getOrder(ctx, caller, params.id)),
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
    responses: { 204: 'empty' },
    errors: [forbidden, notFound, invalidTransition],
    handler: async ({ caller, params, body }) => {
      await changeStatus(ctx, caller, params.id, body.status);
      return noContent();
    },
  }),
];
