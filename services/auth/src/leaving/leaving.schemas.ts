import { id, timestamp } from '@shop/core/http';
import { z } from 'zod';
import { user } from '../accounts/accounts.schemas';
import { givenPassword } from '../passwords/passwords.schemas';

export const accountDeletion = z
  .strictObject({ current_password: givenPassword })
  .meta({ id: 'AccountDeletion', description: 'Proves that it is the owner of the account' });

const text = (description: string, example: string) => z.string().meta({ description, examples: [example] });
const money = (description: string, example: number) => z.number().meta({ description, examples: [example] });
const count = (description: string, example: number) => z.int().meta({ description, examples: [example] });
const flag = (description: string) => z.boolean().meta({ description, examples: [false] });
const ownId = id.meta({ description: 'Its id' });
const createdAt = timestamp.meta({ description: 'When it was made' });

const ip = z
  .string()
  .nullable()
  .meta({ description: 'IP address of the client', examples: ['192.0.2.1'] });
const userAgent = z
  .string()
  .nullable()
  .meta({ description: 'Program of the client', examples: ['Mozilla/5.0'] });
const address = {
  label: text("The user's name for the address", 'Home'),
  address: text('Street and number', 'Main Street 1'),
  city: text('The city', 'Springfield'),
  postal_code: text('The postal code', '12345'),
};

const exportedTransaction = z.object({
  id: ownId,
  store_id: id.meta({ description: 'The store that was ordered from' }),
  shipping_address: z.object(address).meta({ description: 'The address at the time of the order' }),
  total: money('What was to be paid', 25),
  status: text('How far the order has got', 'shipped'),
  created_at: createdAt,
  logs: z
    .array(
      z.object({
        product_id: id.meta({ description: 'The product' }),
        product_name: text('Its name at the time of the order', 'Blue mug'),
        product_price: money('Its price at the time of the order', 12.5),
        quantity: count('How many were ordered', 2),
      }),
    )
    .meta({ description: 'What was ordered' }),
});

export const accountExport = z
  .object({
    exported_at: timestamp.meta({ description: 'When this was read' }),
    user: user
      .extend({
        has_password: flag('Whether the account has a password'),
        google_linked: flag('Whether the user can log in with Google'),
        second_factor: flag('Whether a login needs a code'),
      })
      .meta({ id: 'ExportedUser', description: 'The account' }),
    sessions: z
      .array(
        z.object({
          created_at: timestamp.meta({ description: 'The login' }),
          last_used_at: timestamp.meta({ description: 'The login or the last refresh' }),
          ip,
          user_agent: userAgent,
        }),
      )
      .meta({ description: 'Where the user is logged in' }),
    known_clients: z
      .array(
        z.object({
          client: text('A hash of the network of a client', '5f2b6c1e9d0a4c7788'),
          created_at: createdAt,
        }),
      )
      .meta({ description: 'Where the user has logged in before' }),
    idempotency_keys: z
      .array(
        z.object({
          request: text('Method and path', 'POST /api/v1/stores'),
          key: text('The Idempotency-Key', '7a2f4c1e-9a54-4d0b-8f43-0c5d0f1f2b6a'),
          response: z
            .string()
            .nullable()
            .meta({ description: 'The body of the response, in JSON', examples: ['{"id":1}'] }),
          created_at: createdAt,
        }),
      )
      .meta({ description: 'Requests of the last 24 hours with an Idempotency-Key' }),
    audit_events: z
      .array(
        z.object({
          created_at: timestamp.meta({ description: 'When it happened' }),
          event: text('What happened', 'login'),
          detail: z
            .string()
            .nullable()
            .meta({ description: 'More about some kinds of events', examples: ['password'] }),
          ip: ip.meta({ description: 'IP address of the client; null if an administrator did it' }),
          user_agent: userAgent,
        }),
      )
      .meta({ description: 'What happened to the account' }),
    stores: z
      .array(z.object({ id: ownId, name: text('The name', "Ada's Store"), created_at: createdAt }))
      .meta({ description: "The user's stores" }),
    products: z
      .array(
        z.object({
          id: ownId,
          store_id: id.meta({ description: 'The store that sells it' }),
          category_id: id.nullable().meta({ description: 'Its category; null: none', examples: [1] }),
          name: text('The name', 'Blue mug'),
          description: text('The description', 'Holds 300 ml'),
          price: money('The price', 12.5),
          stock: count('How many are left', 10),
          image: z
            .string()
            .nullable()
            .meta({ description: 'The stored name of the image', examples: ['1_0b8f7c1e.png'] }),
          created_at: createdAt,
        }),
      )
      .meta({ description: 'What the stores sell' }),
    addresses: z
      .array(z.object({ id: ownId, ...address, created_at: createdAt }))
      .meta({ description: 'The shipping addresses' }),
    files: z
      .array(
        z.object({
          filename: text('The stored name', '1_0b8f7c1e.png'),
          original_name: text("The user's name for the file", 'mug.png'),
          content_type: text('The media type', 'image/png'),
          size: count('The bytes of the file', 1234),
          created_at: createdAt,
        }),
      )
      .meta({ description: 'The uploads' }),
    transactions: z.array(exportedTransaction).meta({ description: 'What the user has ordered' }),
  })
  .meta({ id: 'AccountExport', description: 'Everything that the shop keeps about a user' });

export type AccountExport = z.input<typeof accountExport>;
