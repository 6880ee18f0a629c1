import type { List } from '@shop/core';
import type { CategoryRepository } from './category.repository';
import type { Category, CategoryQuery } from './category.schemas';

interface Parts {
  categories: Pick<CategoryRepository, 'list'>;
}

export const listCategories =
  ({ categories }: Parts) =>
  (query: CategoryQuery): Promise<List<Category>> =>
    categories.list(query);
