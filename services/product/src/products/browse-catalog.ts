import { type List, notFound } from '@shop/core';
import type { ProductRepository } from './product.repository';
import type { CatalogProduct, ProductQuery } from './product.schemas';

interface Parts {
  products: Pick<ProductRepository, 'list' | 'findById'>;
}

/** What buyers browse: the products of all stores. */
export const browseCatalog =
  ({ products }: Parts) =>
  (query: ProductQuery): Promise<List<CatalogProduct>> =>
    products.list(undefined, query);

/** @throws AppError `not_found` */
export const showInCatalog =
  ({ products }: Parts) =>
  async (id: number): Promise<CatalogProduct> => {
    const found = await products.findById(id);
    if (!found) throw notFound();
    return found.product;
  };
