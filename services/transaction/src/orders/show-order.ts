import { type Caller, mayActFor, notFound } from '@shop/core';
import type { OrderRepository } from './order.repository';
import type { Order, ProductLog } from './order.schemas';

interface Parts {
  orders: Pick<OrderRepository, 'findById' | 'listLogs'>;
}

/** @throws AppError `not_found`, `forbidden` */
export const showOrder =
  ({ orders }: Parts) =>
  async (caller: Caller, id: number): Promise<{ transaction: Order; logs: ProductLog[] }> => {
    const transaction = await orders.findById(id);
    if (!transaction) throw notFound();
    mayActFor(caller, transaction.user_id);
    return { transaction, logs: await orders.listLogs(id) };
  };
