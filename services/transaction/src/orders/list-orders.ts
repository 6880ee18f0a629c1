import type { Caller } from '@shop/core/auth';
import type { List } from '@shop/core/db';
import type { TransactionContext } from '../service';
import type { Order, OrderQuery } from './orders.schemas';
import { listOrdersOf } from './orders.sql';

/** The caller's own orders, or all for an admin. With `as=seller`: the orders of the caller's stores. */
export async function listOrders(
  { db }: Pick<TransactionContext, 'db'>,
  caller: Caller,
  query: OrderQuery,
): Promise<List<Order>> {
  if (query.as === 'seller') return await listOrdersOf(db, { sellerId: caller.id }, query);
  return await listOrdersOf(db, caller.role === 'admin' ? {} : { buyerId: caller.id }, query);
}
