import { id, timestamp } from '@shop/core/http';
import { z } from 'zod';
import { user } from '../accounts/accounts.schemas';
import { givenPassword } from '../passwords/passwords.schemas';

export const accountDeletion = z.strictObject({ current_password: givenPassword });

const exportedTransaction = z.object({
  id,
  store_id: id,
  shipping_address: z.object({ label: z.string(), address: z.string(), city: z.string(), postal_code: z.string() }),
  total: z.number(),
  status: z.string(),
  created_at: timestamp,
  logs: z.array(z.object({ product_id: id, product_name: z.string(), product_price: z.number(), quantity: z.int() })),
});

export const accountExport = z
  .object({
    exported_at: timestamp,
    user: user
      .extend({ has_password: z.boolean(), google_linked: z.boolean(), second_factor: z.boolean() })
      .meta({ id: 'ExportedUser' }),
    sessions: z.array(
      z.object({
        created_at: timestamp,
        last_used_at: timestamp,
        ip: z.string().nullable(),
        user_agent: z.string().nullable(),
      }),
    ),
    known_clients: z.array(z.object({ client: z.string(), created_at: timestamp })),
    audit_events: z.array(
      z.object({
        created_at: timestamp,
        event: z.string(),
        detail: z.string().nullable(),
        ip: z.string().nullable().meta({ description: 'null if an administrator did it' }),
        user_agent: z.string().nullable(),
      }),
    ),
    stores: z.array(z.object({ id, name: z.string(), created_at: timestamp })),
    products: z.array(
      z.object({
        id,
        store_id: id,
        category_id: id.nullable(),
        name: z.string(),
        description: z.string(),
        price: z.number(),
        stock: z.int(),
        image: z.string().nullable(),
        created_at: timestamp,
      }),
    ),
    addresses: z.array(
      z.object({
        id,
        label: z.string(),
        address: z.string(),
        city: z.string(),
        postal_code: z.string(),
        created_at: timestamp,
      }),
    ),
    files: z.array(
      z.object({
        filename: z.string(),
        original_name: z.string(),
        content_type: z.string(),
        size: z.int(),
        created_at: timestamp,
      }),
    ),
    transactions: z.array(exportedTransaction),
  })
  .meta({ id: 'AccountExport' });

export type AccountExport = z.input<typeof accountExport>;
