import { type Endpoint, endpoint, idParams, listAnswer, listOf, notFound, ok } from '@shop/core';
import type { browseCatalog, showInCatalog } from './browse-catalog';
import { catalogProduct, productQuery } from './product.schemas';
import { catalogListRule, catalogProductRule } from './product-cache';

export interface CatalogUseCases {
  browseCatalog: ReturnType<typeof browseCatalog>;
  showInCatalog: ReturnType<typeof showInCatalog>;
}

const PATH = '/api/v1/catalog/products';
const tag = 'catalog';

export const catalogEndpoints = (useCases: CatalogUseCases): Endpoint[] => [
  endpoint({
    method: 'get',
    path: PATH,
    tag,
    summary: "Browse all stores' products",
    access: 'public',
    query: productQuery,
    answers: { 200: listOf(catalogProduct) },
    cache: ({ query }) => catalogListRule(query),
    handler: async ({ query }) => ok(listAnswer(await useCases.browseCatalog(query), query)),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    tag,
    summary: 'Show a product to anybody',
    access: 'public',
    params: idParams,
    answers: { 200: catalogProduct },
    errors: [notFound],
    cache: ({ params }) => catalogProductRule(params.id),
    handler: async ({ params }) => ok(await useCases.showInCatalog(params.id)),
  }),
];
