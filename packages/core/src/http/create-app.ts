import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type RequestParamHandler,
} from 'express';
import type { AccessTokens } from '../auth/access-token';
import type { AnswerCache } from '../cache/answer-cache';
import type { CoreConfig } from '../config/core-config';
import type { ErrorDefinition } from '../errors/app-error';
import { notFound } from '../errors/common-errors';
import { rateLimitMiddleware } from '../limits/rate-limit';
import type { TokenBuckets } from '../limits/token-bucket';
import type { Logger } from '../log/logger';
import type { Metrics } from '../metrics/metrics';
import { allowOnly } from './allow';
import { docsRoutes } from './docs';
import { sendEarly } from './early-response';
import type { Endpoint } from './endpoint';
import { endpointHandler } from './endpoint-handler';
import { refuseMalformed } from './malformed';
import { openApiDocument } from './openapi';
import { type Probes, probeRoutes } from './probes';
import { knownError, problemBody } from './problem';
import { securityHeaders } from './security-headers';
import { contextOf, requestContext } from './request-context';

export interface AppParts {
  service: string;
  config: Pick<CoreConfig, 'rateLimit' | 'trustProxy' | 'corsOrigins'>;
  endpoints: Endpoint[];
  logger: Logger;
  metrics: Metrics;
  cache: AnswerCache;
  buckets: TokenBuckets;
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
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', parts.config.trustProxy);
  app.set('query parser', 'simple');

  app.use(requestContext(parts.logger, parts.metrics));
  app.use(securityHeaders);
  app.use(refuseMalformed);
  app.use(corsHeaders(parts.config.corsOrigins));
  app.use(probeRoutes(parts.service, parts.probes, parts.metrics));
  app.use(
    rateLimitMiddleware({
      service: parts.service,
      size: parts.config.rateLimit,
      buckets: parts.buckets,
      metrics: parts.metrics,
    }),
  );
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
    preflightContinue: false,
  });
  return (req, res, next) => {
    // It would answer any OPTIONS as a preflight; one that is none is the route's to answer, with `Allow`.
    const preflight = req.headers['access-control-request-method'] !== undefined;
    if (req.method === 'OPTIONS' && !preflight) next();
    else handle(req, res, next);
  };
}

/** Routes by path, so that a known path with another method is 405 with `Allow` and not 404. */
function mountEndpoints(app: Express, parts: AppParts): void {
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
    if (known?.kind === 'unavailable') res.setHeader('Retry-After', String(known.retryAfterSeconds ?? 1));
    if (known?.kind === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer');
    res
      .status(body.status)
      .set(known?.headers ?? {})
      .set({ 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json; charset=utf-8' });
    sendEarly(req, res, JSON.stringify(body));
  };
}
