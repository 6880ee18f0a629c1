import type { Caller } from '@shop/core/auth';
import { queryJson } from '@shop/core/http';
import { cacheScope } from '@shop/shop';
import type { CatalogQuery, ProductQuery } from './products.schemas';

const TTL_SECONDS = 300;

/** The part of the key that depends on the caller: admins see all products, others their own. */
const viewer = ({ id, role }: Caller): string => (role === 'admin' ? 'admin' : String(id));

/** The list of one caller with one set of filters. Any change to a product that could be in it invalidates it. */
export const listRule = (caller: Caller, query: ProductQuery) => ({
  ttlSeconds: TTL_SECONDS,
  key: queryJson({ viewer: viewer(caller), ...query }),
  scopes: [caller.role === 'admin' ? cacheScope.products : cacheScope.owner(caller.id)],
});

/** One entry per caller, because a cache hit skips the ownership check. */
export const productRule = (caller: Caller, id: number) => ({
  ttlSeconds: TTL_SECONDS,
  key: `${viewer(caller)}:${id}`,
  scopes: [cacheScope.product(id)],
});

/** The same for all callers. A product never moves to another store, so one store's list depends on that store only. */
export const catalogListRule = (query: CatalogQuery) => ({
  ttlSeconds: TTL_SECONDS,
  key: queryJson(query),
  scopes: [query.store_id === undefined ? cacheScope.products : cacheScope.store(query.store_id)],
});

export const catalogProductRule = (id: number) => ({
  ttlSeconds: TTL_SECONDS,
  key: String(id),
  scopes: [cacheScope.product(id)],
});
