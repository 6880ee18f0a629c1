import { createStorage, type ServiceDefinition, storageSettings } from '@shop/core';
import { addStore } from './stores/add-store';
import { deleteStore } from './stores/delete-store';
import { listStores } from './stores/list-stores';
import { renameStore } from './stores/rename-store';
import { showStore } from './stores/show-store';
import { storeEndpoints } from './stores/store.endpoints';
import { storeRepository } from './stores/store.repository';

export const storeService: ServiceDefinition<typeof storageSettings> = {
  name: 'store',
  portKey: 'STORE_PORT',
  settings: storageSettings,
  tables: ['stores', 'stores.name_folded', 'products', 'transactions'],
  endpoints: ({ db, cache, logger }, settings) => {
    const stores = storeRepository(db);
    const storage = createStorage(settings, { logger });
    return storeEndpoints({
      addStore: addStore({ stores }),
      listStores: listStores({ stores }),
      showStore: showStore({ stores }),
      renameStore: renameStore({ stores, cache }),
      deleteStore: deleteStore({
        stores,
        storage,
        cache,
        inTransaction: (work) => db.transaction((sql) => work(storeRepository(sql))),
      }),
    });
  },
};
