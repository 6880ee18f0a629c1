import { id, idString, inOrder, type ListQuery, pageQuery, timestamp } from '@shop/core/http';
import { amount, price, priceString } from '@shop/shop';
import { z } from 'zod';
import { MAX_LINE_QUANTITY } from './orders.errors';

export const orderStatus = z
  .enum(['pending', 'paid', 'shipped', 'completed', 'cancelled'])
  .meta({ id: 'TransactionStatus', description: 'How far the order has got', examples: ['pending'] });

export type OrderStatus = z.output<typeof orderStatus>;

export const statusChange = z
  .strictObject({ status: orderStatus })
  .meta({ id: 'NewStatus', description: 'The next status', examples: [{ status: 'cancelled' }] });

const newItem = z
  .strictObject({
    product_id: id.meta({ description: 'The product' }),
    quantity: z
      .int()
      .min(1)
      .max(MAX_LINE_QUANTITY)
      .meta({ description: 'How many', examples: [2] }),
  })
  .meta({ id: 'NewTransactionItem', description: 'A product to order' });

export const newOrder = z
  .strictObject({
    address_id: id.meta({ description: 'Your address to ship to' }),
    items: z.array(newItem).min(1).max(100).meta({ description: 'What to order, all from one store' }),
    expected_total: price.optional().meta({
      description:
        'The total that the buyer has seen. If a price has changed since, nothing is ordered: `total_changed`',
      examples: [25],
    }),
  })
  .meta({ id: 'NewTransaction', description: 'An order' });

export type NewOrder = z.output<typeof newOrder>;

/** A line of an order, merged by product. */
export interface OrderLine {
  productId: number;
  quantity: number;
}

export const orderQuery = z
  .object({
    ...pageQuery,
    status: orderStatus.optional().meta({ description: 'Only transactions with this status' }),
    as: z
      .literal('seller')
      .optional()
      .meta({ description: 'seller: the transactions of your stores', examples: ['seller'] }),
    store_id: idString.optional().meta({ description: 'Only transactions with this store' }),
    min_total: priceString.optional().meta({ description: 'Only transactions of at least this total', examples: [10] }),
    max_total: priceString
      .optional()
      .meta({ description: 'Only transactions of at most this total', examples: [99.99] }),
  })
  .refine(...inOrder('min_total', 'max_total'));

export type OrderQuery = ListQuery<typeof orderQuery>;

const shippingAddress = z
  .object({
    label: z.string().meta({ description: "The buyer's name for it", examples: ['Home'] }),
    address: z.string().meta({ description: 'Street and number', examples: ['Main Street 1'] }),
    city: z.string().meta({ description: 'The city', examples: ['Springfield'] }),
    postal_code: z.string().meta({ description: 'The postal code', examples: ['12345'] }),
  })
  .meta({ id: 'ShippingAddress', description: 'A copy of the address at the time of the order' });

export const order = z
  .object({
    id: id.meta({ description: 'The id of the transaction' }),
    user_id: id.meta({ description: 'The buyer' }),
    store_id: id.meta({ description: 'The store that sells' }),
    address_id: id.nullable().meta({ description: 'The address; null once it is deleted', examples: [1] }),
    shipping_address: shippingAddress,
    total: amount.meta({ description: 'What is to be paid', examples: [25] }),
    status: orderStatus,
    created_at: timestamp.meta({ description: 'When it was ordered' }),
  })
  .meta({ id: 'Transaction', description: 'An order of products of one store' });

export type Order = z.input<typeof order>;

const productLog = z
  .object({
    id: id.meta({ description: 'The id of the line' }),
    transaction_id: id.meta({ description: 'The transaction' }),
    product_id: id.meta({ description: 'The product, which may have been deleted since' }),
    product_name: z.string().meta({ description: 'Its name at the time of the order', examples: ['Blue mug'] }),
    product_price: amount.meta({ description: 'Its price at the time of the order', examples: [12.5] }),
    quantity: z.int().meta({ description: 'How many were ordered', examples: [2] }),
    created_at: timestamp.meta({ description: 'When it was ordered' }),
  })
  .meta({ id: 'ProductLog', description: 'A line of an order' });

export type ProductLog = z.input<typeof productLog>;

const historyEntry = z
  .object({
    from: orderStatus,
    to: orderStatus,
    changed_by: id.nullable().meta({
      description: 'The user who changed it; null: cancelled automatically, because it was not paid in time',
      examples: [1],
    }),
    changed_at: timestamp.meta({ description: 'When' }),
  })
  .meta({
    id: 'StatusChange',
    description: 'A step of the order',
    examples: [{ from: 'pending', to: 'paid', changed_by: 1, changed_at: '2026-01-31T09:30:00.000Z' }],
  });

export type StatusChange = z.input<typeof historyEntry>;

export const orderDetails = z
  .object({
    transaction: order,
    logs: z.array(productLog).meta({ description: 'What was ordered' }),
    history: z.array(historyEntry).meta({ description: 'Status changes, oldest first' }),
  })
  .meta({ id: 'TransactionDetails', description: 'A transaction with its lines and history' });

export type OrderDetails = z.input<typeof orderDetails>;
