import { notFound } from '@shop/core';
import type { CategoryRepository } from './category.repository';
import type { Category } from './category.schemas';

interface Parts {
  categories: Pick<CategoryRepository, 'findById'>;
}

/** @throws AppError `not_found` */
export const showCategory =
  ({ categories }: Parts) =>
  async (id: number): Promise<Category> => {
    const category = await categories.findById(id);
    if (!category) throw notFound();
    return category;
  };
