import { createStorage, type Resources, type ServiceDefinition, type Storage, storageSettings } from '@shop/core';
import { fileEndpoints } from './files/files.endpoints';

/** What the use cases of this service get. */
export interface FileContext extends Resources {
  storage: Storage;
}

export const fileService: ServiceDefinition<typeof storageSettings, FileContext> = {
  name: 'file',
  portKey: 'FILE_PORT',
  settings: storageSettings,
  tables: ['files'],
  createContext: (resources, settings) => ({ ...resources, storage: createStorage(settings, resources) }),
  endpoints: fileEndpoints,
};
