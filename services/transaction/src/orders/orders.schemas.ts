import { id, idString, inOrder, pageQuery, timestamp } from '@shop/core/http';
import { amount, priceString } from '@shop/shop';
import { z } from 'zod';
import { MAX_LINE_QUANTITY } from './orders.errors';

export const orderStatus = z.enum(['pending', 'paid', 'shipped', 'completed', 'cancelled']);

export type OrderStatus = z.output<typeof orderStatus>;

export const statusChange = z.strictObject({ status: orderStatus });

export const newOrder = z.strictObject({
  address_id: id,
  items: z
    .array(z.strictObject({ product_id: id, quantity: z.int().min(1).max(MAX_LINE_QUANTITY) }))
    .min(1)
    .max(100),
});

export type NewOrder = z.output<typeof newOrder>;

/** A line of an order, merged by product. */
export interface OrderLine {
  productId: number;
  quantity: number;
}

export const orderQuery = z
  .object({
    ...pageQuery,
    status: orderStatus.optional(),
    as: z.literal('seller').optional().meta({ description: 'seller: the transactions of your stores' }),
    store_id: idString.optional(),
    min_total: priceString.optional(),
    max_total: priceString.optional(),
  })
  .refine(...inOrder('min_total', 'max_total'));

export type OrderQuery = z.output<typeof orderQuery>;

export const order = z
  .object({
    id,
    user_id: id,
    store_id: id,
    address_id: id.nullable(),
    shipping_address: z.object({ label: z.string(), address: z.string(), city: z.string(), postal_code: z.string() }),
    total: amount,
    status: orderStatus,
    created_at: timestamp,
  })
  .meta({ id: 'Transaction' });

export type Order = z.input<typeof order>;

const productLog = z
  .object({
    id,
    transaction_id: id,
    product_id: id,
    product_name: z.string(),
    product_price: amount,
    quantity: z.int(),
    created_at: timestamp,
  })
  .meta({ id: 'ProductLog' });

export type ProductLog = z.input<typeof productLog>;

const historyEntry = z
  .object({
    from: orderStatus,
    to: orderStatus,
    changed_by: id.nullable().meta({ description: 'null: cancelled automatically, because it was not paid in time' }),
    changed_at: timestamp,
  })
  .meta({ id: 'StatusChange' });

export type StatusChange = z.input<typeof historyEntry>;

export const orderDetails = z.object({
  transaction: order,
  logs: z.array(productLog),
  history: z.array(historyEntry).meta({ description: 'Status changes, oldest first' }),
});

export type OrderDetails = z.input<typeof orderDetails>;
