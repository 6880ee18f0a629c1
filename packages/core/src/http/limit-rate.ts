import type { Request, RequestHandler, Response } from 'express';
import type { Endpoint } from './endpoint';
import { contextOf } from './request-context';
import { runMiddleware } from './run-middleware';

/**
 * Runs the rate limit before everything else. A request that may be answered from the cache continues while the limit is
 * decided, so that both ask Redis in one round trip. See docs/decisions/0048-one-round-trip.md.
 */
export function limitRate(limit: RequestHandler, endpoints: Endpoint[]): RequestHandler {
  const paths = endpoints.filter(({ cache }) => cache).map(({ path }) => path.replace(/:\w+/g, '[^/]+'));
  if (paths.length === 0) return limit;
  const cachedPath = new RegExp(`^(${paths.join('|')})$`);
  // Express may still reject such a path, or find another endpoint for it.
  const mayBeCached = ({ method, path }: Request) => (method === 'GET' || method === 'HEAD') && cachedPath.test(path);
  return function limitRequest(req, res, next) {
    if (!mayBeCached(req)) {
      limit(req, res, next);
      return;
    }
    const decision = runMiddleware(limit, req, res);
    // What waits for it may not have come that far.
    decision.catch(() => undefined);
    contextOf(res).limit = decision;
    next();
  };
}

/** Runs `respond` within the limit. With a cache, `respond` itself waits for the decision, between the lookup and the load. */
export function withinLimit({ cache }: Pick<Endpoint, 'cache'>, respond: Respond): Respond {
  return function respondWithinLimit(req, res) {
    const { limit } = contextOf(res);
    if (!limit) return respond(req, res);
    if (!cache) return limit.then(() => respond(req, res));
    // A refusal is sent at once, even if `respond` still waits for something else.
    return Promise.all([limit, respond(req, res)]).then(() => undefined);
  };
}

export type Respond = (req: Request, res: Response) => Promise<void>;

/** @returns the error if the limit has refused the request. It is the response, whatever else is wrong with the request. */
export const refusalOf = (limit: Promise<void> | undefined): Promise<unknown> | undefined =>
  limit?.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
