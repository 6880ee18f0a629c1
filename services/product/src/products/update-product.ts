import { type AnswerCache, type Caller, notFound, productScopes } from '@shop/core';
import type { InTransaction, ProductRepository } from './product.repository';
import type { ProductChanges } from './product.schemas';
import { showProduct } from './show-product';

interface Parts {
  products: Pick<ProductRepository, 'findById' | 'update'>;
  inTransaction: InTransaction;
  cache: Pick<AnswerCache, 'invalidate'>;
}

/** `stock` sets what is left, whatever it was. @throws AppError `category_not_found` and what showProduct throws */
export const updateProduct = ({ products, inTransaction, cache }: Parts) => {
  const show = showProduct({ products });
  return async (caller: Caller, id: number, changes: ProductChanges): Promise<void> => {
    const { product, ownerId } = await show(caller, id);
    const { stock } = changes;
    const exists =
      stock === undefined
        ? await products.update(id, changes)
        : await inTransaction(async (transaction) => {
            const before = await transaction.lockStock(id);
            if (before === undefined) return false;
            if (stock !== before) await transaction.recordStock(id, 'edit', stock - before);
            return transaction.update(id, changes);
          });
    if (!exists) throw notFound();
    await cache.invalidate(productScopes({ productIds: [id], storeId: product.store_id, ownerId }));
  };
};
