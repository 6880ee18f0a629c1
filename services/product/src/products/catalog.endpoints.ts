import { notFound } from '@shop/core/errors';
import { type Endpoint, endpoint, idParams, listEndpoint, ok } from '@shop/core/http';
import type { ProductContext } from '../service';
import { catalogListRule, catalogProductRule } from './cache-rules';
import { getCatalogProduct } from './get-product';
import { catalogProduct, catalogQuery } from './products.schemas';
import { listProducts } from './products.sql';

const PATH = '/api/v1/catalog/products';
const tag = { name: 'catalog', description: 'The products of all stores, as buyers see them. No login needed.' };

export const catalogEndpoints = (ctx: ProductContext): Endpoint[] => [
  listEndpoint({
    path: PATH,
    operationId: 'listCatalogProducts',
    tag,
    summary: 'List the products of all stores',
    access: 'public',
    query: catalogQuery,
    item: catalogProduct,
    cache: ({ query }) => catalogListRule(query),
    list: async ({ query }) => await listProducts(ctx.db, undefined, query),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    operationId: 'getCatalogProduct',
    tag,
    summary: 'Get a product of any store',
    access: 'public',
    params: idParams,
    responses: { 200: catalogProduct },
    errors: [notFound],
    cache: ({ params }) => catalogProductRule(params.id),
    handler: async ({ params }) => ok(await getCatalogProduct(ctx, params.id)),
  }),
];
