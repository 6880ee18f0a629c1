import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type RequestParamHandler,
} from 'express';
import type { AccessTokens } from '../auth';
import type { ResponseCache } from '../cache';
import type { ErrorDefinition } from '../errors';
import { notFound, queryTimeout } from '../errors';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { type RateLimitBuckets, rateLimitMiddleware } from '../rate-limit';
import { allowOnly } from './allow';
import { docsRoutes } from './docs';
import { sendEarly } from './early-response';
import type { Endpoint } from './endpoint';
import { endpointHandler } from './endpoint-handler';
import type { HttpConfig } from './http-config';
import { refuseMalformed } from './malformed';
import { openApiDocument } from './openapi';
import { type Probes, probeRoutes } from './probes';
import { knownError, problemBody } from './problem';
import { contextOf, requestContext } from './request-context';
import { uploadMetrics } from './request-metrics';
import { securityHeaders } from './security-headers';

export interface AppDeps {
  service: string;
  config: HttpConfig;
  endpoints: Endpoint[];
  logger: Logger;
  metrics: Metrics;
  cache: ResponseCache;
  buckets: RateLimitBuckets;
  tokens: AccessTokens;
  probes: Probes;
}

/** What scripts of other origins may read of an answer. */
const EXPOSED_HEADERS = [
  'Location',
  'X-Request-Id',
  'X-Cache',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Idempotent-Replayed',
];

/**
 * A service's Express app: its declared endpoints, and around them what all services do alike (request id, log, metrics,
 * security headers, CORS, probes, rate limit, authentication, validation, errors, documentation).
 */
export function createApp(parts: AppDeps): Express {
  // Also of a service without uploads: all have the same metrics.
  uploadMetrics(parts.metrics);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', parts.config.trustProxy);
  app.set('query parser', 'simple');
  // One resource has one address, the same one that the gateway's routes know.
  app.set('case sensitive routing', true);
  app.set('strict routing', true);

  app.use(requestContext(parts.logger, parts.metrics));
  app.use(securityHeaders);
  app.use(refuseMalformed);
  app.use(corsHeaders(parts.config.corsOrigins));
  app.use(probeRoutes(parts.service, parts.probes, parts.metrics));
  app.use(rateLimitMiddleware({ ...parts, bucketOf: bucketFinder(parts.endpoints) }));
  app.use(respondToPreflight);
  app.param('id', skipNonCanonicalId);
  mountEndpoints(app, parts);
  app.use(docsRoutes(openApiDocument(parts.service, parts.endpoints)));
  app.use((_req, _res, next) => next(notFound({ message: 'There is no such route.' })));
  app.use(errorHandler(parts.logger));
  return app;
}

function corsHeaders(origins: '*' | string[]): RequestHandler {
  // A wildcard never goes with credentials: any site could act for the user then.
  const handle = cors({
    origin: origins,
    credentials: origins !== '*',
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
    // Preflights are counted by the rate limit before they are answered.
    preflightContinue: true,
  });
  return (req, res, next) => {
    // It would take any OPTIONS for a preflight; others get `Allow` from their route.
    if (req.method === 'OPTIONS' && !isPreflight(req)) next();
    else handle(req, res, next);
  };
}

const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && Boolean(headers['access-control-request-method']);

const respondToPreflight: RequestHandler = (req, res, next) => {
  if (isPreflight(req)) res.status(204).setHeader('Content-Length', '0').end();
  else next();
};

/** Which bucket a request counts in; nginx/templates decides the same. */
function bucketFinder(endpoints: Endpoint[]): (req: Request) => keyof RateLimitBuckets {
  const uploads = endpoints.filter(({ bucket }) => bucket === 'uploads').map(({ path }) => path.replace(/:.*/, ''));
  return (req) => {
    if (isPreflight(req)) return 'preflights';
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    return isRead && uploads.some((prefix) => req.path.startsWith(prefix)) ? 'uploads' : 'general';
  };
}

/** `/stores/01` is not another address of `/stores/1`: it matches no route. */
const skipNonCanonicalId: RequestParamHandler = (_req, _res, next, id: string) =>
  /^0\d+$/.test(id) ? next('route') : next();

/** Routes by path, so that a known path with another method is 405 with `Allow` and not 404. */
function mountEndpoints(app: Express, parts: AppDeps): void {
  for (const [path, endpoints] of groupByPath(parts.endpoints)) {
    const route = app.route(path);
    for (const endpoint of endpoints) route[endpoint.method](markRoute(path), endpointHandler(endpoint, parts));
    // Unmarked: with any method a client likes, each path would be a label eight times over.
    route.all(allowOnly(endpoints.map(({ method }) => method.toUpperCase())));
    const undecodable = endpoints.find(({ undecodablePath }) => undecodablePath)?.undecodablePath;
    if (undecodable) app.use(path.replace(/\/:.*/, ''), undecodableAs(undecodable));
  }
}

/** Express throws what it cannot decode before it gets to the endpoint. */
const undecodableAs =
  (instead: ErrorDefinition): ErrorRequestHandler =>
  (error, _req, _res, next) =>
    next(error instanceof URIError ? instead({ cause: error }) : error);

function groupByPath(endpoints: Endpoint[]): Map<string, Endpoint[]> {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) groups.set(endpoint.path, [...(groups.get(endpoint.path) ?? []), endpoint]);
  return groups;
}

const markRoute =
  (path: string): RequestHandler =>
  (_req, res, next) => {
    contextOf(res).route = path;
    next();
  };

function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const context = contextOf(res);
    const known = knownError(error);
    if (!known || known.kind === 'unavailable') context.failure = error;
    if (res.headersSent) {
      logger.error({ request_id: context.requestId, err: error }, 'failed after the answer had begun');
      res.destroy();
      return;
    }
    const body = problemBody(known, context.requestId);
    // A repeated slow query would only cost the database its time limit again.
    const mayRetry = known?.kind === 'unavailable' && known.code !== queryTimeout.code;
    if (mayRetry) res.setHeader('Retry-After', String(known.retryAfterSeconds ?? 1));
    if (known?.kind === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer');
    res
      .status(body.status)
      .set(known?.headers ?? {})
      .set({ 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json; charset=utf-8' });
    sendEarly(req, res, JSON.stringify(body));
  };
}
