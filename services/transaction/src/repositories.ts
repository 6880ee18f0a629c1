import type { Sql } from '@shop/core';
import { idempotencyRepository } from './idempotency/idempotency.repository';
import { orderRepository } from './orders/order.repository';
import { statusRepository } from './orders/status.repository';
import { stockRepository } from './orders/stock.repository';

export const repositories = (sql: Sql) => ({
  orders: orderRepository(sql),
  statuses: statusRepository(sql),
  stock: stockRepository(sql),
  keys: idempotencyRepository(sql),
});

export type Repositories = ReturnType<typeof repositories>;
