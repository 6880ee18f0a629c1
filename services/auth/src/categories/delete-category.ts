import { type AnswerCache, cacheScope, notFound } from '@shop/core';
import type { InTransaction } from '../repositories';

interface Parts {
  /** Its products change with it, perhaps beside a checkout: a deadlock has to be tried again. */
  inTransaction: InTransaction;
  cache: AnswerCache;
}

/** Its products stay, without a category: answers about any product may be stale. @throws AppError `not_found` */
export const deleteCategory =
  ({ inTransaction, cache }: Parts) =>
  async (id: number): Promise<void> => {
    if (!(await inTransaction(({ categories }) => categories.delete(id)))) throw notFound();
    await cache.invalidate([cacheScope.everything]);
  };
