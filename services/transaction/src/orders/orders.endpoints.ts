import { forbidden, notFound } from '@shop/core/errors';
import { created, createdId, type Endpoint, endpoint, idParams, listEndpoint, ok } from '@shop/core/http';
import { insufficientStock } from '@shop/shop';
import type { TransactionContext } from '../service';
import { changeStatus } from './change-status';
import { getOrder } from './get-order';
import { listOrders } from './list-orders';
import { invalidTransition } from './order-status';
import {
  addressNotFound,
  emailNotVerified,
  mixedStores,
  productNotFound,
  quantityTooLarge,
  totalChanged,
  totalTooLarge,
} from './orders.errors';
import { newOrder, order, orderDetails, orderQuery, statusChange } from './orders.schemas';
import { placeOrder } from './place-order';

const PATH = '/api/v1/transactions';
const tag = {
  name: 'transactions',
  description: 'Orders: a buyer orders products of one store, and the store ships them.',
};

export const orderEndpoints = (ctx: TransactionContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    operationId: 'createTransaction',
    tag,
    summary: 'Place an order for products of one store',
    description:
      'All or nothing. Items with the same product are merged. The stock is reduced; the current prices and address are copied into the transaction.',
    access: 'user',
    idempotent: true,
    body: newOrder,
    responses: { 201: createdId },
    errors: [
      emailNotVerified,
      addressNotFound,
      productNotFound,
      mixedStores,
      quantityTooLarge,
      insufficientStock,
      totalChanged,
      totalTooLarge,
    ],
    handler: async ({ caller, body, attempt }) => {
      const id = await placeOrder(ctx, caller, body, attempt);
      return created(`${PATH}/${id}`, { id });
    },
  }),

  listEndpoint({
    path: PATH,
    operationId: 'listTransactions',
    tag,
    summary: 'List your purchases (all transactions for an admin); with as=seller, the transactions of your stores',
    access: 'user',
    query: orderQuery,
    item: order,
    list: async ({ caller, query }) => await listOrders(ctx, caller, query),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    operationId: 'getTransaction',
    tag,
    summary: 'Get a transaction (buyer, owner of its store or admin)',
    access: 'user',
    params: idParams,
    responses: { 200: orderDetails },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => ok(await getOrder(ctx, caller, params.id)),
  }),

  endpoint({
    method: 'patch',
    path: `${PATH}/:id`,
    operationId: 'changeTransactionStatus',
    tag,
    summary: 'Change the status of a transaction',
    description:
      'The order of statuses is pending, paid, shipped, completed. A pending or paid transaction can be cancelled, which restores the stock. The buyer can cancel while it is pending, the owner of the store can ship and cancel, an admin can take every step.',
    access: 'user',
    params: idParams,
    body: statusChange,
    responses: { 204: 'empty' },
    ifMatch: orderDetails,
    errors: [forbidden, notFound, invalidTransition],
    handler: async ({ caller, params, body, ifMatch }) =>
      await changeStatus(ctx, caller, params.id, body.status, ifMatch),
  }),
];
