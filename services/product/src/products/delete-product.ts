import {
  type AnswerCache,
  type Caller,
  cacheScope,
  invalidateIfGone,
  notFound,
  productScopes,
  type Storage,
} from '@shop/core';
import type { ProductRepository } from './product.repository';
import { showProduct } from './show-product';

interface Parts {
  products: Pick<ProductRepository, 'findById' | 'delete'>;
  storage: Pick<Storage, 'discard'>;
  cache: Pick<AnswerCache, 'invalidate'>;
}

/** Its image goes after its row; past transactions keep their logs. @throws AppError what showProduct throws */
export const deleteProduct = ({ products, storage, cache }: Parts) => {
  const show = showProduct({ products });
  const remove = async (caller: Caller, id: number): Promise<void> => {
    const { product, ownerId, image } = await show(caller, id);
    if (!(await products.delete(id))) throw notFound();
    await cache.invalidate(productScopes({ productIds: [id], storeId: product.store_id, ownerId }));
    if (image) await storage.discard([image]);
  };
  return (caller: Caller, id: number): Promise<void> =>
    invalidateIfGone(cache, [cacheScope.everything], () => remove(caller, id));
};
