import { changesOf, id, type ListQuery, pageQuery, searchText, text, timestamp } from '@shop/core/http';
import { z } from 'zod';

const label = { description: "The user's name for it", examples: ['Home'] };
const street = { description: 'Street and number, and all else that the carrier needs', examples: ['Main Street 1'] };
const city = { description: 'The city', examples: ['Springfield'] };
const postalCode = { description: 'The postal code', examples: ['12345'] };

export const address = z
  .object({
    id: id.meta({ description: 'The id of the address' }),
    user_id: id.meta({ description: 'Whose address it is' }),
    label: z.string().meta(label),
    address: z.string().meta(street),
    city: z.string().meta(city),
    postal_code: z.string().meta(postalCode),
    created_at: timestamp.meta({ description: 'When it was added' }),
  })
  .meta({ id: 'Address', description: 'A shipping address of a user' });

export type Address = z.input<typeof address>;

const fields = {
  label: text(0, 100).meta(label),
  address: text(1, 1000).meta(street),
  city: text(0, 100).meta(city),
  postal_code: text(0, 20).meta(postalCode),
};

export const newAddress = z
  .strictObject({
    ...fields,
    label: fields.label.default(''),
    city: fields.city.default(''),
    postal_code: fields.postal_code.default(''),
  })
  .meta({ id: 'NewAddress', description: 'A shipping address' });

export type NewAddress = z.output<typeof newAddress>;

export const addressChange = changesOf(fields).meta({
  id: 'AddressChanges',
  description: 'The fields to change, at least one',
});

export type AddressChange = z.output<typeof addressChange>;

/** `label` matches any part of the label; the other two match the whole value. All ignore case. */
export const addressQuery = z.object({
  ...pageQuery,
  label: searchText.optional().meta({ description: 'A part of the label, in any case', examples: ['home'] }),
  city: searchText.optional().meta({ description: 'The whole city, in any case', examples: ['Springfield'] }),
  postal_code: searchText.optional().meta({ description: 'The whole postal code, in any case', examples: ['12345'] }),
});

export type AddressQuery = ListQuery<typeof addressQuery>;
