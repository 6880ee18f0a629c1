import type { ServiceDefinition } from '@shop/core';
import { z } from 'zod';
import { addStore } from './stores/add-store';
import { deleteStore } from './stores/delete-store';
import { listStores } from './stores/list-stores';
import { renameStore } from './stores/rename-store';
import { showStore } from './stores/show-store';
import { storeEndpoints } from './stores/store.endpoints';
import { storeRepository } from './stores/store.repository';

const settings = z.object({});

export const storeService: ServiceDefinition<typeof settings> = {
  name: 'store',
  portKey: 'STORE_PORT',
  settings,
  tables: ['stores', 'products'],
  endpoints: ({ db, cache }) => {
    const stores = storeRepository(db);
    return storeEndpoints({
      addStore: addStore({ stores }),
      listStores: listStores({ stores }),
      showStore: showStore({ stores }),
      renameStore: renameStore({ stores, cache }),
      deleteStore: deleteStore({ stores, cache }),
    });
  },
};
