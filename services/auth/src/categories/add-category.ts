import type { CategoryRepository } from './category.repository';

interface Parts {
  categories: Pick<CategoryRepository, 'insert'>;
}

/** @throws AppError `category_exists` */
export const addCategory =
  ({ categories }: Parts) =>
  (name: string): Promise<number> =>
    categories.insert(name);
