import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { Caller } from '../auth';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { PROBES } from './probe-paths';
import { requestMetrics } from './request-metrics';

/** What core keeps about a request, in `res.locals`. */
interface RequestContext {
  requestId: string;
  /** The declared path, or UNMATCHED: the metrics label and the log's route. */
  route: string;
  caller?: Caller;
  /** What went wrong, when it was our fault or worth a look. */
  failure?: unknown;
  /** The status that the client got past `res`, on the bare connection. */
  refusedWith?: number;
}

export const UNMATCHED = 'unmatched';
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const SANE_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
/** The client's own id where it is a sane one, else a new one. */
export const requestIdFrom = (given: string | undefined): string =>
  given !== undefined && SANE_REQUEST_ID.test(given) ? given : randomUUID();

export const contextOf = (res: Response): RequestContext => res.locals as RequestContext;

/** Gives the request its id and, once it is answered or cut off, its log line and its metrics. */
export function requestContext(logger: Logger, metrics: Metrics): RequestHandler {
  // Its fields are all named here and none is a secret: nothing to look through, for each request.
  const lines = logger.child({}, { redact: [] });
  const { requests, seconds: duration } = requestMetrics(metrics);
  let inFlight = 0;
  metrics.gauge('http_requests_in_flight', 'HTTP requests that are being answered now', () => inFlight);
  return (req, res, next) => {
    const start = process.hrtime.bigint();
    const context = contextOf(res);
    inFlight += 1;
    context.requestId = requestIdFrom(req.get('x-request-id'));
    context.route = UNMATCHED;
    res.setHeader('X-Request-Id', context.requestId);
    res.once('close', () => {
      inFlight -= 1;
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      // 499 is what Nginx logs for a client that left before its answer.
      const status = context.refusedWith ?? (res.writableFinished ? res.statusCode : 499);
      const labels = {
        method: METHODS.has(req.method) ? req.method : 'OTHER',
        endpoint: context.route,
        status: String(status),
      };
      requests.inc(labels);
      duration.observe({ method: labels.method, endpoint: labels.endpoint }, seconds);
      const level = status >= 500 ? 'error' : PROBES.has(context.route) ? 'debug' : 'info';
      lines[level](
        {
          request_id: context.requestId,
          method: labels.method,
          route: context.route,
          status,
          duration_ms: Math.round(seconds * 1e6) / 1e3,
          ...(context.caller ? { user_id: context.caller.id } : {}),
          ...(context.failure ? { err: context.failure } : {}),
        },
        'request',
      );
    });
    next();
  };
}
