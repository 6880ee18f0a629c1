import {
  created,
  createdId,
  type Endpoint,
  endpoint,
  idParams,
  listAnswer,
  listOf,
  noContent,
  notFound,
  ok,
} from '@shop/core';
import type { addCategory } from './add-category';
import { categoryExists } from './category.errors';
import { category, categoryName, categoryQuery } from './category.schemas';
import type { deleteCategory } from './delete-category';
import type { listCategories } from './list-categories';
import type { renameCategory } from './rename-category';
import type { showCategory } from './show-category';

export interface CategoryUseCases {
  addCategory: ReturnType<typeof addCategory>;
  listCategories: ReturnType<typeof listCategories>;
  showCategory: ReturnType<typeof showCategory>;
  renameCategory: ReturnType<typeof renameCategory>;
  deleteCategory: ReturnType<typeof deleteCategory>;
}

const PATH = '/api/v1/categories';
const tag = 'categories';

export const categoryEndpoints = (useCases: CategoryUseCases): Endpoint[] => [
  endpoint({
    method: 'get',
    path: PATH,
    tag,
    summary: 'List the categories',
    access: 'public',
    query: categoryQuery,
    answers: { 200: listOf(category) },
    handler: async ({ query }) => ok(listAnswer(await useCases.listCategories(query), query)),
  }),

  endpoint({
    method: 'post',
    path: PATH,
    tag,
    summary: 'Add a category',
    access: 'admin',
    body: categoryName,
    answers: { 201: createdId },
    errors: [categoryExists],
    handler: async ({ body }) => {
      const id = await useCases.addCategory(body.name);
      return created(`${PATH}/${id}`, { id });
    },
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    tag,
    summary: 'Show a category',
    access: 'public',
    params: idParams,
    answers: { 200: category },
    errors: [notFound],
    handler: async ({ params }) => ok(await useCases.showCategory(params.id)),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id`,
    tag,
    summary: 'Rename a category',
    access: 'admin',
    params: idParams,
    body: categoryName,
    answers: { 204: 'empty' },
    errors: [notFound, categoryExists],
    handler: async ({ params, body }) => {
      await useCases.renameCategory(params.id, body.name);
      return noContent();
    },
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id`,
    tag,
    summary: 'Delete a category; its products stay, without one',
    access: 'admin',
    params: idParams,
    answers: { 204: 'empty' },
    errors: [notFound],
    handler: async ({ params }) => {
      await useCases.deleteCategory(params.id);
      return noContent();
    },
  }),
];
