import { createStorage, type Resources, type ServiceDefinition, type Storage, storageSettings } from '@shop/core';
import { catalogEndpoints } from './products/catalog.endpoints';
import { productEndpoints } from './products/products.endpoints';

/** What the use cases of this service get. */
export interface ProductContext extends Resources {
  /** Where product images are kept. */
  storage: Storage;
}

export const productService: ServiceDefinition<typeof storageSettings, ProductContext> = {
  name: 'product',
  portKey: 'PRODUCT_PORT',
  settings: storageSettings,
  tables: ['products', 'products.description_words', 'stock_movements', 'stores', 'categories'],
  createContext: (resources, settings) => ({ ...resources, storage: createStorage(settings, resources) }),
  endpoints: (ctx) => [...productEndpoints(ctx), ...catalogEndpoints(ctx)],
};
