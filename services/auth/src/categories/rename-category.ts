import { notFound } from '@shop/core';
import type { CategoryRepository } from './category.repository';

interface Parts {
  categories: Pick<CategoryRepository, 'updateName'>;
}

/** Answers about products name a category by id only: none goes stale. @throws AppError `not_found`, `category_exists` */
export const renameCategory =
  ({ categories }: Parts) =>
  async (id: number, name: string): Promise<void> => {
    if (!(await categories.updateName(id, name))) throw notFound();
  };
