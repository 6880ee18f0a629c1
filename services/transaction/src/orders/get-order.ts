import type { Caller } from '@shop/core/auth';
import { forbidden, notFound } from '@shop/core/errors';
import type { TransactionContext } from '../service';
import { partiesOf } from './order-status';
import type { OrderDetails } from './orders.schemas';
import { findOrder, listOrderLines } from './orders.sql';
import { listStatusChanges } from './statuses.sql';

/** Visible to its buyer, the owner of its store and admins. */
export async function getOrder(
  { db }: Pick<TransactionContext, 'db'>,
  caller: Caller,
  id: number,
): Promise<OrderDetails> {
  const found = await findOrder(db, id);
  if (!found) throw notFound();
  const { order, sellerId } = found;
  if (partiesOf(caller, { buyerId: order.user_id, sellerId }).length === 0) throw forbidden();
  return { transaction: order, logs: await listOrderLines(db, id), history: await listStatusChanges(db, id) };
}
