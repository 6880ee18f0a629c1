import type { Caller } from '@shop/core/auth';
import type { List } from '@shop/core/db';
import type { TransactionContext } from '../service';
import type { Order, OrderQuery } from './orders.schemas';
import { listOrdersOf } from './orders.sql';

/** The buyer's own, for an admin all; as a seller, those of the caller's stores. */
export async function listOrders(
  { db }: Pick<TransactionContext, 'db'>,
  caller: Caller,
  query: OrderQuery,
): Promise<List<Order>> {
  if (query.as === 'seller') return await listOrdersOf(db, { sellerId: caller.id }, query);
  return await listOrdersOf(db, caller.role === 'admin' ? {} : { buyerId: caller.id }, query);
}
