import { type ErrorDefinition, errorCode, notFound, preconditionFailed } from '../errors';
import type { ResponseCache } from './response-cache';

/**
 * Makes a function that runs a write, and invalidates `scopes` if it fails with `refusal`. An earlier attempt may have crashed
 * between its commit and its invalidation, and this error tells the client that it took effect.
 */
export const invalidateOn = (refusal: ErrorDefinition) =>
  async function writeOrInvalidate<T>(
    cache: Pick<ResponseCache, 'invalidate'>,
    scopes: string[],
    write: () => Promise<T>,
  ): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (errorCode(error) === refusal.code) await cache.invalidate(scopes);
      throw error;
    }
  };

/** For a delete: the row is already gone. */
export const invalidateIfGone = invalidateOn(notFound);

/** For an update with If-Match: the row has already changed. The next GET must show how. */
export const invalidateIfChanged = invalidateOn(preconditionFailed);
