import { type AnswerCache, type Caller, notFound, productScopes } from '@shop/core';
import type { ProductRepository } from './product.repository';
import type { ProductChanges } from './product.schemas';
import { showProduct } from './show-product';

interface Parts {
  products: Pick<ProductRepository, 'findById' | 'update'>;
  cache: Pick<AnswerCache, 'invalidate'>;
}

/** `stock` sets what is left, whatever it was. @throws AppError `category_not_found` and what showProduct throws */
export const updateProduct = ({ products, cache }: Parts) => {
  const show = showProduct({ products });
  return async (caller: Caller, id: number, changes: ProductChanges): Promise<void> => {
    const { product, ownerId } = await show(caller, id);
    if (!(await products.update(id, changes))) throw notFound();
    await cache.invalidate(productScopes({ productIds: [id], storeId: product.store_id, ownerId }));
  };
};
