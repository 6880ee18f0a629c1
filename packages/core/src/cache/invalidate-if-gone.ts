import { errorCode, notFound } from '../errors';
import type { ResponseCache } from './response-cache';

/**
 * Runs a delete, and invalidates `scopes` if the row is already gone. An earlier attempt may have crashed between its
 * commit and its invalidation, and the 404 tells the client that the delete took effect.
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
