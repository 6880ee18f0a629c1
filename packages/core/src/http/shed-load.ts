import type { Request, RequestHandler, Response } from 'express';
import { overloaded } from '../errors';
import type { Metrics } from '../metrics';
import type { Admission } from '../overload';
import { corsHeaders } from './cors-headers';
import { sendEarly } from './early-response';
import type { Endpoint } from './endpoint';
import { setHeaderList } from './header-list';
import type { HttpConfig } from './http-config';
import { PROBES } from './probe-paths';
import { problemBody } from './problem';
import { contextOf, methodLabel, requestIdFrom, UNMATCHED } from './request-context';
import { requestMetrics } from './request-metrics';
import { listSecurityHeaders } from './security-headers';

interface ShedLoadDeps {
  admission: Admission;
  endpoints: readonly Endpoint[];
  metrics: Metrics;
  config: Pick<HttpConfig, 'corsOrigins'>;
}

/**
 * Refuses requests of an endpoint that gets more than the service can serve. It comes before everything else: a refusal must cost
 * little, or refusing would need the time in which requests could be served. Never refuses probes.
 */
export function shedLoad({ admission, endpoints, metrics, config }: ShedLoadDeps): RequestHandler {
  const groupOf = groupFinder(endpoints);
  const { requests } = requestMetrics(metrics);
  const problem = overloaded();
  const securityHeaders = listSecurityHeaders();
  const setCorsHeaders = corsHeaders(config.corsOrigins);

  function refuse(req: Request, res: Response): void {
    const requestId = requestIdFrom(req.get('x-request-id'));
    contextOf(res).requestId = requestId;
    setHeaderList(res, securityHeaders);
    setCorsHeaders(req, res);
    res.setHeader('X-Request-Id', requestId);
    res.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
    res.setHeader('Cache-Control', 'no-store');
    res.setHeader('Retry-After', '1');
    res.statusCode = 503;
    requests.inc({ method: methodLabel(req), endpoint: UNMATCHED, status: '503' });
    sendEarly(req, res, JSON.stringify(problemBody(problem, requestId)));
  }

  return function admit(req, res, next) {
    if (PROBES.has(req.path)) return next();
    const group = groupOf(req);
    if (admission.tryEnter(group)) {
      res.once('close', () => admission.leave(group, res.writableFinished && res.statusCode < 500));
      next();
    } else refuse(req, res);
  };
}

/** Cheaper than routing: an endpoint without parameters is a group, and so are the others of a method and a collection together. */
function groupFinder(endpoints: readonly Endpoint[]): (req: Request) => string {
  const fixed = new Set(endpoints.map(({ method, path }) => `${method.toUpperCase()} ${path}`));
  const collections = new Set(endpoints.map(({ method, path }) => collectionOf(method.toUpperCase(), path)));
  return function groupOf({ method, path }) {
    const request = `${method} ${path}`;
    if (fixed.has(request)) return request;
    const collection = collectionOf(method, path);
    return collections.has(collection) ? collection : 'other';
  };
}

/** `GET /api/v1/products/:id/images` is in the collection `GET /api/v1/products/`. */
const collectionOf = (method: string, path: string): string => `${method} ${path.split('/', 4).join('/')}/`;
