import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestHandler, Response } from 'express';
import type { AppError, ErrorDefinition, FieldError } from '../errors';
import {
  expectationFailed,
  headersTooLarge,
  malformedRequest,
  methodNotAllowed,
  payloadTooLarge,
  requestTimeout,
} from '../errors';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { closeSlowly } from './early-response';
import { problemBody, statusOf } from './problem';
import { contextOf, requestIdFrom, UNMATCHED } from './request-context';
import { requestMetrics } from './request-metrics';
import { listSecurityHeaders } from './security-headers';

type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer };

const refusals: Record<string, ErrorDefinition> = {
  HPE_HEADER_OVERFLOW: headersTooLarge,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: payloadTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: requestTimeout,
};

/** @returns undefined: it is not the parser that complains, the connection is broken and nobody there to be answered */
function refusalFor(reason: string, where: FieldError['in']): AppError | undefined {
  if (refusals[reason]) return refusals[reason]();
  return reason.startsWith('HPE_')
    ? malformed('The request is not well-formed HTTP.', { in: where, path: '', code: 'invalid_format' })
    : undefined;
}

const malformed = (message: string, field: Omit<FieldError, 'message'>) =>
  malformedRequest({ message, errors: [{ ...field, message }] });

const SEARCHED_BYTES = 16_384;

/**
 * Responses what Node's parser refuses like every other error, where Node would send a bare status line; with log line and
 * figures. Little is known of such a request, and unless its head was good no Express app ever sees it.
 */
export function respondToMalformed(server: Server, { logger, metrics }: { logger: Logger; metrics: Metrics }): void {
  const lines = logger.child({}, { redact: [] });
  const { requests } = requestMetrics(metrics);
  const latest = new WeakMap<Duplex, ServerResponse>();
  const refused = new WeakSet<Duplex>();

  const refuse = (socket: Duplex, refusal: AppError, requestId: string, reason: string) => {
    const status = statusOf[refusal.kind];
    requests.inc({ method: 'OTHER', endpoint: UNMATCHED, status: String(status) });
    lines.info({ request_id: requestId, method: 'OTHER', route: UNMATCHED, status, reason }, 'request');
    answer(socket, refusal, requestId);
  };

  server.prependListener('request', (req, res) => latest.set(req.socket, res));
  // The app refuses it, below.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));

  server.on('connect', (req, socket) => {
    socket.on('error', () => socket.destroy());
    const headers = { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' };
    refuse(socket, methodNotAllowed({ headers }), requestIdFrom(req.headers['x-request-id']?.toString()), 'CONNECT');
  });

  server.on('clientError', (error: ParserError, socket) => {
    const { code: reason = '', rawPacket } = error;
    const last = latest.get(socket);
    const pending = last && !(last.writableFinished || last.destroyed) ? last : undefined;
    const inItsBody = pending !== undefined && !pending.req.complete;
    const refusal = refusalFor(reason, inItsBody ? 'body' : 'header');
    // What comes after the refusal, until the connection closes.
    if (refusal && refused.has(socket)) return;
    if (!refusal || !socket.writable || (inItsBody && pending.headersSent)) {
      socket.destroy(error);
      return;
    }
    refused.add(socket);
    if (inItsBody) {
      // Express has made it its own by now.
      const context = contextOf(pending as Response);
      context.refusedWith = statusOf[refusal.kind];
      answer(socket, refusal, context.requestId);
    } else if (pending) {
      // Responses go out in the order of the requests. It may close the connection, and the rest is nobody's then.
      pending.once('close', () => socket.writable && refuse(socket, refusal, requestIdFrom(undefined), reason));
    } else {
      refuse(socket, refusal, requestIdFrom(idIn(rawPacket)), reason);
    }
  });
}

/** There is no response object: the whole message is written here. */
function answer(socket: Duplex, refusal: AppError, requestId: string): void {
  const status = statusOf[refusal.kind];
  const body = JSON.stringify(problemBody(refusal, requestId));
  const headers = {
    Date: new Date().toUTCString(),
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    ...listSecurityHeaders(),
    ...refusal.headers,
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head, '', body].join('\r\n'));
  closeSlowly(socket);
}

/** Nginx in front has logged the request under its id. Looked for in what could not be parsed, hence by its look alone. */
const idIn = (packet: Buffer | undefined): string | undefined =>
  /^x-request-id:(.*)$/im.exec(packet?.toString('latin1', 0, SEARCHED_BYTES) ?? '')?.[1]?.trim();

const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

/** What Node would refuse with an empty body once it has parsed it: HTTP/1.1 without Host, and unknown expectations. */
export const refuseMalformed: RequestHandler = ({ httpVersion, headers: { host, expect } }, res, next) => {
  const refusal =
    host === undefined
      ? malformed('The Host header is missing.', { in: 'header', path: 'host', code: 'required' })
      : expect !== undefined && !CONTINUE.test(expect)
        ? expectationFailed()
        : undefined;
  if (refusal === undefined || httpVersion !== '1.1') {
    next();
    return;
  }
  res.setHeader('Connection', 'close');
  next(refusal);
};
