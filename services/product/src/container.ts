import { createStorage, type ServiceDefinition, storageSettings } from '@shop/core';
import { addProduct } from './products/add-product';
import { deleteProduct } from './products/delete-product';
import { listProducts } from './products/list-products';
import { productEndpoints } from './products/product.endpoints';
import { productRepository } from './products/product.repository';
import { showProduct } from './products/show-product';
import { updateProduct } from './products/update-product';

export const productService: ServiceDefinition<typeof storageSettings> = {
  name: 'product',
  portKey: 'PRODUCT_PORT',
  settings: storageSettings,
  tables: ['products', 'stores', 'categories'],
  endpoints: ({ db, cache, logger }, settings) => {
    const products = productRepository(db);
    const storage = createStorage(settings, { logger });
    return productEndpoints({
      addProduct: addProduct({ products, storage, cache, logger }),
      listProducts: listProducts({ products }),
      showProduct: showProduct({ products }),
      updateProduct: updateProduct({ products, cache }),
      deleteProduct: deleteProduct({ products, storage, cache }),
    });
  },
};
