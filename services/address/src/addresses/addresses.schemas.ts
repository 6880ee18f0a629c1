import { changesOf, id, pageQuery, searchText, text, timestamp } from '@shop/core/http';
import { z } from 'zod';

export const address = z
  .object({
    id,
    user_id: id,
    label: z.string(),
    address: z.string(),
    city: z.string(),
    postal_code: z.string(),
    created_at: timestamp,
  })
  .meta({ id: 'Address' });

export type Address = z.input<typeof address>;

const fields = {
  label: text(0, 100),
  address: text(1, 1000),
  city: text(0, 100),
  postal_code: text(0, 20),
};

export const newAddress = z.strictObject({
  ...fields,
  label: fields.label.default(''),
  city: fields.city.default(''),
  postal_code: fields.postal_code.default(''),
});

export type NewAddress = z.output<typeof newAddress>;

export const addressChange = changesOf(fields);

export type AddressChange = z.output<typeof addressChange>;

/** `label` matches any part of the label; the other two match the whole value. All ignore case. */
export const addressQuery = z.object({
  ...pageQuery,
  label: searchText.optional(),
  city: searchText.optional(),
  postal_code: searchText.optional(),
});

export type AddressQuery = z.output<typeof addressQuery>;
