import { createStorage, type ServiceDefinition, storageSettings } from '@shop/core';
import { addProduct } from './products/add-product';
import { browseCatalog, showInCatalog } from './products/browse-catalog';
import { catalogEndpoints } from './products/catalog.endpoints';
import { deleteProduct } from './products/delete-product';
import { listProducts } from './products/list-products';
import { productEndpoints } from './products/product.endpoints';
import { type InTransaction, productRepository } from './products/product.repository';
import { showProduct } from './products/show-product';
import { updateProduct } from './products/update-product';

export const productService: ServiceDefinition<typeof storageSettings> = {
  name: 'product',
  portKey: 'PRODUCT_PORT',
  settings: storageSettings,
  tables: ['products', 'products.description_words', 'stock_movements', 'stores', 'categories'],
  endpoints: ({ db, cache, logger }, settings) => {
    const products = productRepository(db);
    const storage = createStorage(settings, { logger });
    const inTransaction: InTransaction = (work) => db.transaction((sql) => work(productRepository(sql)));
    const useCases = {
      addProduct: addProduct({ products, inTransaction, storage, cache, logger }),
      listProducts: listProducts({ products }),
      showProduct: showProduct({ products }),
      updateProduct: updateProduct({ products, inTransaction, cache }),
      deleteProduct: deleteProduct({ products, storage, cache }),
    };
    const selling = productEndpoints(useCases, storage);
    const buying = catalogEndpoints({
      browseCatalog: browseCatalog({ products }),
      showInCatalog: showInCatalog({ products }),
    });
    return [...selling, ...buying];
  },
};
