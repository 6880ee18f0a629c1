import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Caller } from '../auth';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { clientIpOf } from '../rate-limit';
import { PROBES } from './probe-paths';
import { requestMetrics } from './request-metrics';

/** What core stores about a request in `res.locals`. */
interface RequestContext {
  requestId: string;
  /** As reported by trusted proxies. */
  clientIp: string;
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
/** Clients may send any method, so the others share a label. */
export const methodLabel = ({ method }: Request): string => (METHODS.has(method) ? method : 'OTHER');
const VALID_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
/** Returns the client's id if it is valid, otherwise a new one. */
export const requestIdFrom = (given: string | undefined): string =>
  given !== undefined && VALID_REQUEST_ID.test(given) ? given : randomUUID();

export const contextOf = (res: Response): RequestContext => res.locals as RequestContext;

/**
 * Returns the function that begins the context of a request: it assigns the request id, and writes the log line and the metrics once
 * the response is sent or the connection is closed.
 */
export function contextStarter(logger: Logger, metrics: Metrics): (req: Request, res: Response) => RequestContext {
  // All its fields are listed below and none is a secret, so skip the redaction for speed.
  const lines = logger.child({}, { redact: [] });
  const { requests, seconds: duration } = requestMetrics(metrics);
  let inFlight = 0;
  metrics.gauge('http_requests_in_flight', 'HTTP requests in progress', () => inFlight);
  return function startContext(req, res) {
    const start = performance.now();
    const context = contextOf(res);
    inFlight += 1;
    context.requestId = requestIdFrom(req.get('x-request-id'));
    context.route = UNMATCHED;
    // Now, because a closed connection has no address.
    context.clientIp = clientIpOf(req);
    res.setHeader('X-Request-Id', context.requestId);
    res.once('close', function record() {
      inFlight -= 1;
      const milliseconds = performance.now() - start;
      // 499 is what Nginx logs for a client that disconnected before it got its response.
      const status = context.earlyStatus ?? (res.writableFinished ? res.statusCode : 499);
      const method = methodLabel(req);
      requests.inc({ method, endpoint: context.route, status: String(status) });
      duration.observe({ method, endpoint: context.route }, milliseconds / 1000);
      const level = status >= 500 ? 'error' : PROBES.has(context.route) ? 'debug' : 'info';
      lines[level](
        {
          request_id: context.requestId,
          method,
          route: context.route,
          status,
          client_ip: context.clientIp,
          duration_ms: Math.round(milliseconds * 1000) / 1000,
          // pino leaves out what is undefined.
          user_id: context.caller?.id,
          err: context.failure,
        },
        'request',
      );
    });
    return context;
  };
}
