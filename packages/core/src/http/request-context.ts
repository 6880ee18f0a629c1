import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { Caller } from '../auth';
import { type Logger, withRequestId } from '../log';
import type { Metrics } from '../metrics';
import { clientIpOf } from '../rate-limit';
import { PROBES } from './probe-paths';
import { requestMetrics } from './request-metrics';

/** What core stores about a request in `res.locals`. */
interface RequestContext {
  requestId: string;
  /** The declared path or UNMATCHED, used as metrics label and as `route` in the log. */
  route: string;
  caller?: Caller;
  /** The error, if it is our fault or worth investigating. */
  failure?: unknown;
  /** The status of an error response that was written to the socket directly, or sent before the request was complete. */
  earlyStatus?: number;
}

export const UNMATCHED = 'unmatched';
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const VALID_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
/** Returns the client's id if it is valid, otherwise a new one. */
export const requestIdFrom = (given: string | undefined): string =>
  given !== undefined && VALID_REQUEST_ID.test(given) ? given : randomUUID();

export const contextOf = (res: Response): RequestContext => res.locals as RequestContext;

/** Assigns the request id. Writes the log line and the metrics once the response is sent or the connection is closed. */
export function requestContext(logger: Logger, metrics: Metrics): RequestHandler {
  // All its fields are listed below and none is a secret, so skip the redaction for speed.
  const lines = logger.child({}, { redact: [] });
  const { requests, seconds: duration } = requestMetrics(metrics);
  let inFlight = 0;
  metrics.gauge('http_requests_in_flight', 'HTTP requests in progress', () => inFlight);
  return function startContext(req, res, next) {
    const start = process.hrtime.bigint();
    const context = contextOf(res);
    inFlight += 1;
    context.requestId = requestIdFrom(req.get('x-request-id'));
    context.route = UNMATCHED;
    // Now, because a closed connection has no address.
    const clientIp = clientIpOf(req);
    res.setHeader('X-Request-Id', context.requestId);
    res.once('close', function record() {
      inFlight -= 1;
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      // 499 is what Nginx logs for a client that disconnected before it got its response.
      const status = context.earlyStatus ?? (res.writableFinished ? res.statusCode : 499);
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
          client_ip: clientIp,
          duration_ms: Math.round(seconds * 1e6) / 1e3,
          ...(context.caller ? { user_id: context.caller.id } : {}),
          ...(context.failure ? { err: context.failure } : {}),
        },
        'request',
      );
    });
    withRequestId(context.requestId, next);
  };
}
