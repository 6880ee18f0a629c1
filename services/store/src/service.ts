import type { Resources, ServiceDefinition } from '@shop/core/service';
import { type Storage, storageSettings } from '@shop/core/storage';
import { createUploadStorage, inShop } from '@shop/shop';
import { storeEndpoints } from './stores/stores.endpoints';

/** Dependencies of this service's use cases. */
export interface StoreContext extends Resources {
  /** Where the product service keeps the images of its products. */
  storage: Storage;
}

export const storeService: ServiceDefinition<typeof storageSettings, StoreContext> = {
  ...inShop('store'),
  settings: storageSettings,
  createContext: (resources, settings) => ({ ...resources, storage: createUploadStorage(settings, resources) }),
  endpoints: storeEndpoints,
};
