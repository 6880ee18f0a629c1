import { type Caller, forbidden, notFound } from '@shop/core';
import type { OrderRepository } from './order.repository';
import type { OrderDetails } from './order.schemas';
import { partiesOf } from './order-status';
import type { StatusRepository } from './status.repository';

interface Parts {
  orders: Pick<OrderRepository, 'findById' | 'listLogs'>;
  statuses: Pick<StatusRepository, 'listChanges'>;
}

/** To its buyer, the owner of its store, or an admin. @throws AppError `not_found`, `forbidden` */
export const showOrder =
  ({ orders, statuses }: Parts) =>
  async (caller: Caller, id: number): Promise<OrderDetails> => {
    const found = await orders.findById(id);
    if (!found) throw notFound();
    const { order: transaction, sellerId } = found;
    if (partiesOf(caller, { buyerId: transaction.user_id, sellerId }).length === 0) throw forbidden();
    return { transaction, logs: await orders.listLogs(id), history: await statuses.listChanges(id) };
  };
