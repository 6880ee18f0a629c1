import { EVERYTHING } from '@shop/core/cache';

/**
 * What cached answers depend on. Every writer of products (the checkout too) invalidates all that its write touches; an
 * answer names the narrowest scopes that cover it.
 */
export const cacheScope = {
  /** One product. */
  product: (id: number): string => `product:${id}`,
  /** The list of one store's products. */
  store: (id: number): string => `store:${id}`,
  /** The lists of one seller's products. */
  owner: (userId: number): string => `owner:${userId}`,
  /** Any list over all stores. */
  products: 'products',
  /**
   * A write that may touch any product: a deleted category, a renamed or deleted store; or a repeated delete of something
   * whose scopes are gone with it. Rare, so it may cost the whole cache.
   */
  everything: EVERYTHING,
} as const;

/** What a change to products of one store touches. */
export const productScopes = (change: { productIds: number[]; storeId: number; ownerId: number }): string[] => [
  ...change.productIds.map(cacheScope.product),
  cacheScope.store(change.storeId),
  cacheScope.owner(change.ownerId),
  cacheScope.products,
];
