import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request, Response } from 'express';
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

const errorsByReason: Record<string, ErrorDefinition> = {
  HPE_HEADER_OVERFLOW: headersTooLarge,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: payloadTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: requestTimeout,
};

/** @returns undefined if this is not a parser error: the connection is broken, so there is no one to respond to */
function errorFor(reason: string, where: FieldError['in']): AppError | undefined {
  if (errorsByReason[reason]) return errorsByReason[reason]();
  return reason.startsWith('HPE_')
    ? malformed('The request is not well-formed HTTP.', { in: where, path: '', code: 'invalid_format' })
    : undefined;
}

const malformed = (message: string, field: Omit<FieldError, 'message'>) =>
  malformedRequest({ message, errors: [{ ...field, message }] });

const SEARCHED_BYTES = 16_384;

/**
 * Responds to requests that Node's parser rejects with a problem, like for every other error, with a log line and metrics.
 * Node would send only a status line. Express never sees such a request, unless its head was valid.
 */
export function respondToMalformed(server: Server, { logger, metrics }: { logger: Logger; metrics: Metrics }): void {
  const lines = logger.child({}, { redact: [] });
  const { requests } = requestMetrics(metrics);
  const latest = new WeakMap<Duplex, ServerResponse>();
  const rejected = new WeakSet<Duplex>();

  const reject = (socket: Duplex, problem: AppError, requestId: string, reason: string) => {
    const status = statusOf[problem.kind];
    requests.inc({ method: 'OTHER', endpoint: UNMATCHED, status: String(status) });
    lines.info({ request_id: requestId, method: 'OTHER', route: UNMATCHED, status, reason }, 'request');
    writeResponse(socket, problem, requestId);
  };

  server.prependListener('request', function rememberResponse(req, res) {
    latest.set(req.socket, res);
  });
  // The app rejects it, see `malformationOf`.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));

  server.on('connect', (req, socket) => {
    socket.on('error', () => socket.destroy());
    const headers = { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' };
    reject(socket, methodNotAllowed({ headers }), requestIdFrom(req.headers['x-request-id']?.toString()), 'CONNECT');
  });

  server.on('clientError', (error: ParserError, socket) => {
    const { code: reason = '', rawPacket } = error;
    const last = latest.get(socket);
    const pending = last && !(last.writableFinished || last.destroyed) ? last : undefined;
    const isInBody = pending !== undefined && !pending.req.complete;
    const problem = errorFor(reason, isInBody ? 'body' : 'header');
    // Ignore further data after the error response, until the connection closes.
    if (problem && rejected.has(socket)) return;
    if (!problem || !socket.writable || (isInBody && pending.headersSent)) {
      socket.destroy(error);
      return;
    }
    rejected.add(socket);
    if (isInBody) {
      // Express already handles this request, so its response has the context.
      const context = contextOf(pending as Response);
      context.earlyStatus = statusOf[problem.kind];
      writeResponse(socket, problem, context.requestId);
    } else if (pending) {
      // Responses must be sent in the order of the requests. The pending response may close the connection.
      pending.once('close', () => socket.writable && reject(socket, problem, requestIdFrom(undefined), reason));
    } else {
      reject(socket, problem, requestIdFrom(idIn(rawPacket)), reason);
    }
  });
}

/** Writes the whole HTTP message, because there is no response object. */
function writeResponse(socket: Duplex, problem: AppError, requestId: string): void {
  const status = statusOf[problem.kind];
  const body = JSON.stringify(problemBody(problem, requestId));
  const headers = {
    Date: new Date().toUTCString(),
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    ...Object.fromEntries(listSecurityHeaders()),
    ...problem.headers,
    Connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head, '', body].join('\r\n'));
  closeSlowly(socket);
}

/** Finds the request id in the unparsed request, because Nginx has logged the request under this id. */
const idIn = (packet: Buffer | undefined): string | undefined =>
  /^x-request-id:(.*)$/im.exec(packet?.toString('latin1', 0, SEARCHED_BYTES) ?? '')?.[1]?.trim();

const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

/** The problem of a request that Node would otherwise reject with an empty body: HTTP/1.1 without Host, or an unknown expectation. */
export function malformationOf({ httpVersion, headers: { host, expect } }: Request): AppError | undefined {
  if (httpVersion !== '1.1') return undefined;
  if (host === undefined)
    return malformed('The Host header is missing.', { in: 'header', path: 'host', code: 'required' });
  return expect === undefined || CONTINUE.test(expect) ? undefined : expectationFailed();
}
