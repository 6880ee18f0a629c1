import { EVERYTHING } from '@shop/core/cache';

/**
 * The scopes of cached responses. Every writer of products (including the checkout) invalidates all scopes that its write
 * affects. A response names the narrowest scopes that cover it.
 */
export const cacheScope = {
  /** One product. */
  product: (id: number): string => `product:${id}`,
  /** The list of one store's products. */
  store: (id: number): string => `store:${id}`,
  /** The lists of one seller's products. */
  owner: (userId: number): string => `owner:${userId}`,
  /** Lists across all stores. */
  products: 'products',
  /** Lists of categories. */
  categories: 'categories',
  /**
   * For a write that may affect any product: a deleted category, or a renamed or deleted store. Also for a repeated delete of
   * something whose scopes are no longer known. Rare, so it may invalidate the whole cache.
   */
  everything: EVERYTHING,
} as const;

/** The scopes affected by a change to products of one store. */
export const productScopes = (change: { productIds: number[]; storeId: number; ownerId: number }): string[] => [
  ...change.productIds.map(cacheScope.product),
  cacheScope.store(change.storeId),
  cacheScope.owner(change.ownerId),
  cacheScope.products,
];
