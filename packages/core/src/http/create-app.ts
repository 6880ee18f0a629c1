import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type RequestParamHandler,
} from 'express';
import { type AccessTokenVerifier, CHALLENGE, type Revocations } from '../auth';
import type { ResponseCache } from '../cache';
import type { ErrorDefinition } from '../errors';
import { notFound, queryTimeout } from '../errors';
import { type Logger, withRequestId } from '../log';
import type { Metrics } from '../metrics';
import type { Admission } from '../overload';
import { type RateLimitBuckets, rateLimitMiddleware } from '../rate-limit';
import { allowOnly } from './allow';
import { corsHeaders, isPreflight } from './cors-headers';
import type { docsRoutes } from './docs';
import type { DocsPage } from './docs-layout';
import { sendEarly } from './early-response';
import type { Endpoint } from './endpoint';
import { endpointHandler } from './endpoint-handler';
import { setHeaderList } from './header-list';
import type { HttpConfig } from './http-config';
import { malformationOf } from './malformed';
import { openApiDocument } from './openapi-document';
import { type Probes, probeRoutes } from './probes';
import { knownError, problemBody } from './problem';
import { parseQuery } from './query-string';
import { contextOf, contextStarter } from './request-context';
import { uploadMetrics } from './request-metrics';
import { listSecurityHeaders } from './security-headers';
import { shedLoad } from './shed-load';

interface AppDeps {
  service: string;
  config: HttpConfig;
  endpoints: Endpoint[];
  docs: () => readonly DocsPage[];
  logger: Logger;
  metrics: Metrics;
  cache: ResponseCache;
  buckets: RateLimitBuckets;
  tokens: AccessTokenVerifier;
  revocations: Revocations;
  probes: Probes;
  admission: Admission;
}

/**
 * Creates a service's Express app: its declared endpoints, and what all services share (request id, log, metrics, security
 * headers, CORS, probes, rate limit, authentication, validation, errors, documentation).
 */
export function createApp(deps: AppDeps): Express {
  // Registered even without upload endpoints, so that all services have the same metrics.
  uploadMetrics(deps.metrics);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', deps.config.trustProxy);
  app.set('query parser', parseQuery);
  // Each resource has exactly one URL, which must match the gateway's routes.
  app.set('case sensitive routing', true);
  app.set('strict routing', true);

  app.use(shedLoad(deps));
  app.use(requestStart(deps));
  app.use(probeRoutes(deps.service, deps.probes, deps.metrics));
  app.use(rateLimitMiddleware({ ...deps, bucketOf: bucketFinder(deps.endpoints) }));
  app.use(respondToPreflight);
  app.param('id', skipNonCanonicalId);
  mountEndpoints(app, deps);
  app.use(docsWhenAsked(deps));
  app.use(function noSuchRoute(_req, _res, next) {
    next(notFound({ message: 'There is no such route.' }));
  });
  app.use(errorHandler(deps.logger));
  return app;
}

/** What every request begins with: request id, log line and metrics, security headers, CORS. */
function requestStart({ logger, metrics, config }: AppDeps): RequestHandler {
  const startContext = contextStarter(logger, metrics);
  const securityHeaders = listSecurityHeaders();
  const setCorsHeaders = corsHeaders(config.corsOrigins);
  return function startRequest(req, res, next) {
    const { requestId } = startContext(req, res);
    setHeaderList(res, securityHeaders);
    const problem = malformationOf(req);
    if (problem) {
      res.setHeader('Connection', 'close');
      next(problem);
      return;
    }
    setCorsHeaders(req, res);
    withRequestId(requestId, next);
  };
}

/** Creates the document and the pages for their first reader: they cost time and memory, and most replicas have none. */
function docsWhenAsked({ service, endpoints, docs }: AppDeps): RequestHandler {
  let routes: ReturnType<typeof docsRoutes> | undefined;
  return function serveDocs(req, res, next) {
    if (!DOCS_PATH.test(req.path)) return next();
    if (!routes) {
      const { docsRoutes: create } = require('./docs') as typeof import('./docs');
      routes = create(openApiDocument(service, endpoints), docs());
    }
    routes(req, res, next);
  };
}

const DOCS_PATH = /^\/(docs|openapi\.json)(\/|$)/;

const respondToPreflight: RequestHandler = (req, res, next) => {
  if (isPreflight(req)) res.status(204).setHeader('Content-Length', '0').end();
  else next();
};

/** Finds the rate-limit bucket of a request. nginx/templates must choose the same bucket. */
function bucketFinder(endpoints: Endpoint[]): (req: Request) => keyof RateLimitBuckets {
  const uploads = endpoints.filter(({ bucket }) => bucket === 'uploads').map(({ path }) => path.replace(/:.*/, ''));
  return function bucketOf(req) {
    if (isPreflight(req)) return 'preflights';
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    return isRead && uploads.some((prefix) => req.path.startsWith(prefix)) ? 'uploads' : 'general';
  };
}

/** `/stores/01` must not be a second URL for `/stores/1`, so it matches no route. */
const skipNonCanonicalId: RequestParamHandler = (_req, _res, next, id: string) =>
  /^0\d+$/.test(id) ? next('route') : next();

/** Registers the routes by path, so that an unsupported method on a known path is 405 with `Allow`, not 404. */
function mountEndpoints(app: Express, deps: AppDeps): void {
  for (const [path, endpoints] of groupByPath(deps.endpoints)) {
    const route = app.route(path);
    for (const endpoint of endpoints) route[endpoint.method](endpointHandler(endpoint, deps));
    // It sets no `route`: otherwise each path would get a metrics series for every method that clients try.
    route.all(allowOnly(endpoints.map(({ method }) => method.toUpperCase())));
    const undecodable = endpoints.find(({ undecodablePath }) => undecodablePath)?.undecodablePath;
    if (undecodable) app.use(path.replace(/\/:.*/, ''), undecodableAs(undecodable));
  }
}

/** Express throws a URIError for a path that it cannot decode, before it calls the endpoint. */
function undecodableAs(instead: ErrorDefinition): ErrorRequestHandler {
  return function replaceUriError(error, _req, _res, next) {
    next(error instanceof URIError ? instead({ cause: error }) : error);
  };
}

function groupByPath(endpoints: Endpoint[]): Map<string, Endpoint[]> {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) groups.set(endpoint.path, [...(groups.get(endpoint.path) ?? []), endpoint]);
  return groups;
}

function errorHandler(logger: Logger): ErrorRequestHandler {
  return function sendProblem(error, req, res, _next) {
    const context = contextOf(res);
    const known = knownError(error);
    if (!known || known.kind === 'unavailable') context.failure = error;
    if (res.headersSent) {
      logger.error(
        { request_id: context.requestId, err: error },
        'request failed after its response had started, closing',
      );
      res.destroy();
      return;
    }
    const body = problemBody(known, context.requestId);
    // Retrying a slow query would only use the database's time limit again.
    const mayRetry = known?.kind === 'unavailable' && known.code !== queryTimeout.code;
    const retryAfter = known?.retryAfterSeconds ?? (mayRetry ? 1 : undefined);
    if (retryAfter !== undefined) res.setHeader('Retry-After', String(retryAfter));
    if (known?.kind === 'unauthenticated') res.setHeader('WWW-Authenticate', CHALLENGE);
    res
      .status(body.status)
      .set(known?.headers ?? {})
      .set({ 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json; charset=utf-8' });
    sendEarly(req, res, JSON.stringify(body));
  };
}
