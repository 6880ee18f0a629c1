import { type Caller, cacheScope } from '@shop/core';
import type { ProductQuery } from './product.schemas';

const TTL_SECONDS = 300;

/** What an answer depends on of its caller: admins see all, others their own. */
const viewer = ({ id, role }: Caller): string => (role === 'admin' ? 'admin' : String(id));

const filterKey = (query: ProductQuery) => [
  query.page,
  query.limit,
  query.search || null,
  query.category_id ?? null,
  query.min_price?.toString() ?? null,
  query.max_price?.toString() ?? null,
  query.store_id ?? null,
];

/** The cached list of one caller and one set of filters; gone when any product that could stand in it changes. */
export const listRule = (caller: Caller, query: ProductQuery) => ({
  ttlSeconds: TTL_SECONDS,
  key: JSON.stringify([viewer(caller), ...filterKey(query)]),
  scopes: [caller.role === 'admin' ? cacheScope.products : cacheScope.owner(caller.id)],
});

/** By caller, because an answer from the cache asks nobody whether he may see it. */
export const productRule = (caller: Caller, id: number) => ({
  ttlSeconds: TTL_SECONDS,
  key: `${viewer(caller)}:${id}`,
  scopes: [cacheScope.product(id)],
});

/** The same for everybody. A product never moves to another store, so one store's list depends on that store alone. */
export const catalogListRule = (query: ProductQuery) => ({
  ttlSeconds: TTL_SECONDS,
  key: JSON.stringify(filterKey(query)),
  scopes: [query.store_id === undefined ? cacheScope.products : cacheScope.store(query.store_id)],
});

export const catalogProductRule = (id: number) => ({
  ttlSeconds: TTL_SECONDS,
  key: String(id),
  scopes: [cacheScope.product(id)],
});
