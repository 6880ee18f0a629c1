import type { Caller, List } from '@shop/core';
import type { OrderRepository } from './order.repository';
import type { Order, OrderQuery } from './order.schemas';

interface Parts {
  orders: Pick<OrderRepository, 'list'>;
}

/** The buyer's own, for an admin all; as a seller, those of the caller's stores. */
export const listOrders =
  ({ orders }: Parts) =>
  (caller: Caller, query: OrderQuery): Promise<List<Order>> => {
    if (query.as === 'seller') return orders.list({ sellerId: caller.id }, query);
    return orders.list(caller.role === 'admin' ? {} : { buyerId: caller.id }, query);
  };
