import type { Resources, ServiceDefinition } from '@shop/core/service';
import { type Storage, storageSettings } from '@shop/core/storage';
import { createUploadStorage, inShop } from '@shop/shop';
import { fileEndpoints } from './files/files.endpoints';

/** Dependencies of this service's use cases. */
export interface FileContext extends Resources {
  storage: Storage;
}

export const fileService: ServiceDefinition<typeof storageSettings, FileContext> = {
  ...inShop('file'),
  settings: storageSettings,
  createContext: (resources, settings) => ({ ...resources, storage: createUploadStorage(settings, resources) }),
  endpoints: fileEndpoints,
};
