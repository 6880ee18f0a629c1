import type { Caller, List } from '@shop/core';
import type { OrderRepository } from './order.repository';
import type { Order, OrderQuery } from './order.schemas';

interface Parts {
  orders: Pick<OrderRepository, 'list'>;
}

export const listOrders =
  ({ orders }: Parts) =>
  (caller: Caller, query: OrderQuery): Promise<List<Order>> =>
    orders.list(caller.role === 'admin' ? undefined : caller.id, query);
