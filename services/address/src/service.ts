import type { Resources, ServiceDefinition } from '@shop/core/service';
import { inShop } from '@shop/shop';
import { z } from 'zod';
import { addressEndpoints } from './addresses/addresses.endpoints';

/** Dependencies of this service's use cases. */
export type AddressContext = Resources;

const settings = z.object({});

export const addressService: ServiceDefinition<typeof settings, AddressContext> = {
  ...inShop('address'),
  settings,
  endpoints: addressEndpoints,
};
