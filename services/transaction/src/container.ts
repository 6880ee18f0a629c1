import type { ServiceDefinition } from '@shop/core';
import { z } from 'zod';
import { listOrders } from './orders/list-orders';
import { orderEndpoints } from './orders/order.endpoints';
import { orderRepository } from './orders/order.repository';
import { placeOrder } from './orders/place-order';
import { showOrder } from './orders/show-order';
import { stockRepository } from './orders/stock.repository';

const settings = z.object({});

export const transactionService: ServiceDefinition<typeof settings> = {
  name: 'transaction',
  portKey: 'TRANSACTION_PORT',
  settings,
  tables: ['transactions', 'product_logs', 'products', 'stores', 'addresses'],
  endpoints: ({ db, cache }) => {
    const orders = orderRepository(db);
    return orderEndpoints({
      placeOrder: placeOrder({
        inTransaction: (work) =>
          db.transaction((sql) => work({ orders: orderRepository(sql), stock: stockRepository(sql) })),
        cache,
      }),
      listOrders: listOrders({ orders }),
      showOrder: showOrder({ orders }),
    });
  },
};
