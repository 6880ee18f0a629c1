import type { Caller, List } from '@shop/core';
import type { ProductRepository } from './product.repository';
import type { CatalogProduct, ProductQuery } from './product.schemas';

interface Parts {
  products: Pick<ProductRepository, 'list'>;
}

/** Those of the caller's own stores; for an admin, all. */
export const listProducts =
  ({ products }: Parts) =>
  (caller: Caller, query: ProductQuery): Promise<List<CatalogProduct>> =>
    products.list(caller.role === 'admin' ? undefined : caller.id, query);
