import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { forbidden, notFound } from '@shop/core/errors';
import type { TransactionContext } from '../service';
import { partiesOf } from './order-status';
import type { OrderDetails } from './orders.schemas';
import { type FoundOrder, findOrder } from './orders.sql';
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
  return await detailsOf(db, found);
}

/** For a caller who has been checked. */
export async function findOrderDetails(sql: Sql, id: number): Promise<OrderDetails | undefined> {
  const found = await findOrder(sql, id);
  return found && (await detailsOf(sql, found));
}

async function detailsOf(sql: Sql, { order, lines }: FoundOrder): Promise<OrderDetails> {
  // No step leads to this status, so there is no history to read.
  const isNew = order.status === 'pending';
  return { transaction: order, logs: lines, history: isNew ? [] : await listStatusChanges(sql, order.id) };
}
