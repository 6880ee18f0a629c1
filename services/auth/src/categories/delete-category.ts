import { type AnswerCache, invalidateIfGone, notFound } from '@shop/core';
import { cacheScope } from '@shop/shop';
import type { InTransaction } from '../repositories';
import type { CategoryRepository } from './category.repository';

interface Parts {
  categories: Pick<CategoryRepository, 'listProductIds'>;
  inTransaction: InTransaction;
  cache: AnswerCache;
}

/** Its products stay, without a category: answers about any product may be stale. @throws AppError `not_found` */
export const deleteCategory =
  ({ categories, inTransaction, cache }: Parts) =>
  (id: number): Promise<void> =>
    invalidateIfGone(cache, [cacheScope.everything], async () => {
      const productIds = await categories.listProductIds(id);
      const existed = await inTransaction(async (locked) => {
        // Products before their category, as where a product is edited: deleting it clears their category_id.
        await locked.categories.lockProducts(productIds);
        return locked.categories.delete(id);
      });
      if (!existed) throw notFound();
      await cache.invalidate([cacheScope.everything]);
    });
