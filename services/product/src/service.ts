import type { Resources, ServiceDefinition } from '@shop/core/service';
import { type Storage, storageSettings } from '@shop/core/storage';
import { createUploadStorage, inShop } from '@shop/shop';
import { catalogEndpoints } from './products/catalog.endpoints';
import { productEndpoints } from './products/products.endpoints';

/** Dependencies of this service's use cases. */
export interface ProductContext extends Resources {
  /** Where product images are kept. */
  storage: Storage;
}

export const productService: ServiceDefinition<typeof storageSettings, ProductContext> = {
  ...inShop('product'),
  settings: storageSettings,
  createContext: (resources, settings) => ({ ...resources, storage: createUploadStorage(settings, resources) }),
  endpoints: (ctx) => [...productEndpoints(ctx), ...catalogEndpoints(ctx)],
};
