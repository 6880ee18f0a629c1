import { notFound } from '@shop/core/errors';
import { type Endpoint, endpoint, idParams, listOf, listResponse, ok } from '@shop/core/http';
import type { ProductContext } from '../service';
import { catalogListRule, catalogProductRule } from './cache-rules';
import { getCatalogProduct } from './get-product';
import { catalogProduct, productQuery } from './products.schemas';
import { listProducts } from './products.sql';

const PATH = '/api/v1/catalog/products';
const tag = { name: 'catalog', description: 'The products of all stores, as buyers see them. No login needed.' };

export const catalogEndpoints = (ctx: ProductContext): Endpoint[] => [
  endpoint({
    method: 'get',
    path: PATH,
    operationId: 'listCatalogProducts',
    tag,
    summary: 'List the products of all stores',
    access: 'public',
    query: productQuery,
    responses: { 200: listOf(catalogProduct) },
    cache: ({ query }) => catalogListRule(query),
    handler: async ({ query }) => ok(listResponse(await listProducts(ctx.db, undefined, query), query)),
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
