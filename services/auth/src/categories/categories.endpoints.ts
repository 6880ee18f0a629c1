import { notFound } from '@shop/core/errors';
import { created, createdId, type Endpoint, endpoint, idParams, listEndpoint, ok, queryJson } from '@shop/core/http';
import { cacheScope } from '@shop/shop';
import type { AuthContext } from '../service';
import { addCategory } from './add-category';
import { categoryExists } from './categories.errors';
import { category, categoryName, categoryQuery } from './categories.schemas';
import { getCategory, listCategories } from './categories.sql';
import { deleteCategory } from './delete-category';
import { renameCategory } from './rename-category';

const PATH = '/api/v1/categories';
/** Short: a replica of the release before adds and renames categories without an invalidation. */
const LIST_TTL_SECONDS = 10;
const tag = {
  name: 'categories',
  description: 'What products are sorted into. Everyone can read them, administrators change them.',
};

export const categoryEndpoints = (ctx: AuthContext): Endpoint[] => [
  listEndpoint({
    path: PATH,
    operationId: 'listCategories',
    tag,
    summary: 'List the categories',
    access: 'public',
    query: categoryQuery,
    item: category,
    cache: ({ query }) => ({
      ttlSeconds: LIST_TTL_SECONDS,
      key: queryJson(query),
      scopes: [cacheScope.categories],
    }),
    list: async ({ query }) => await listCategories(ctx.db, query),
  }),

  endpoint({
    method: 'post',
    path: PATH,
    operationId: 'createCategory',
    tag,
    summary: 'Add a category',
    access: 'admin',
    idempotent: true,
    body: categoryName,
    responses: { 201: createdId },
    errors: [categoryExists],
    handler: async ({ body, attempt }) => {
      const { id } = await addCategory(ctx, body.name, attempt);
      return created(`${PATH}/${id}`, { id });
    },
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    operationId: 'getCategory',
    tag,
    summary: 'Get a category',
    access: 'public',
    params: idParams,
    responses: { 200: category },
    errors: [notFound],
    handler: async ({ params }) => ok(await getCategory(ctx.db, params.id)),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id`,
    operationId: 'renameCategory',
    tag,
    summary: 'Rename a category',
    access: 'admin',
    params: idParams,
    body: categoryName,
    responses: { 204: 'empty' },
    ifMatch: category,
    errors: [notFound, categoryExists],
    handler: async ({ params, body, ifMatch }) => await renameCategory(ctx, params.id, body.name, ifMatch),
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id`,
    operationId: 'deleteCategory',
    tag,
    summary: 'Delete a category; its products are kept without a category',
    access: 'admin',
    params: idParams,
    responses: { 204: 'empty' },
    ifMatch: category,
    errors: [notFound],
    handler: async ({ params, ifMatch }) => await deleteCategory(ctx, params.id, ifMatch),
  }),
];
