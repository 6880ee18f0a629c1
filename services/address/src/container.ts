import type { ServiceDefinition } from '@shop/core';
import { z } from 'zod';
import { addAddress } from './addresses/add-address';
import { addressEndpoints } from './addresses/address.endpoints';
import { addressRepository } from './addresses/address.repository';
import { changeAddress } from './addresses/change-address';
import { deleteAddress } from './addresses/delete-address';
import { listAddresses } from './addresses/list-addresses';
import { showAddress } from './addresses/show-address';

const settings = z.object({});

export const addressService: ServiceDefinition<typeof settings> = {
  name: 'address',
  portKey: 'ADDRESS_PORT',
  settings,
  tables: ['addresses', 'addresses.postal_code_folded', 'transactions'],
  endpoints: ({ db }) => {
    const addresses = addressRepository(db);
    return addressEndpoints({
      addAddress: addAddress({ addresses }),
      listAddresses: listAddresses({ addresses }),
      showAddress: showAddress({ addresses }),
      changeAddress: changeAddress({ addresses }),
      deleteAddress: deleteAddress({
        addresses,
        inTransaction: (work) => db.transaction((sql) => work(addressRepository(sql))),
      }),
    });
  },
};
