import { errorCode, notFound } from '../errors';
import type { ResponseCache } from './response-cache';

/**
 * Runs a delete. Where there is nothing to delete it invalidates all the same: an earlier attempt may have died between
 * its commit and its invalidation, and the 404 confirms what that attempt did.
 */
export async function invalidateIfGone<T>(
  cache: Pick<ResponseCache, 'invalidate'>,
  scopes: string[],
  remove: () => Promise<T>,
): Promise<T> {
  try {
    return await remove();
  } catch (error) {
    if (errorCode(error) === notFound.code) await cache.invalidate(scopes);
    throw error;
  }
}
