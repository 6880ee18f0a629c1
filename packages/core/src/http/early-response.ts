import type { Duplex } from 'node:stream';
import type { Request, Response } from 'express';
import { contextOf } from './request-context';

/** The rest of a rejected body is read up to this size, the largest body that the gateway accepts. */
const MAX_DISCARDED_BYTES = 5500 * 1024;
/** After this side has closed the connection, it still reads what the client sends for this long. */
const LINGER_MS = 2000;

/**
 * Sends the whole response even if the request's body is still arriving, then discards the rest of the body before it ends
 * the response. Closing the connection earlier would reset it, and a client that is still sending would lose the response.
 * The server's requestTimeout limits how long this takes.
 */
export function sendEarly(req: Request, res: Response, body: string): void {
  res.setHeader('Content-Length', Buffer.byteLength(body));
  if (req.complete) res.end(body);
  // A small body has arrived with the headers. Then Node has read it in the next turn, and one write is enough.
  else setImmediate(() => (req.complete ? res.end(body) : sendBeforeBody(req, res, body)));
}

function sendBeforeBody(req: Request, res: Response, body: string): void {
  // The client has its response. Log this status even if the client disconnects before the end of its body.
  contextOf(res).earlyStatus ??= res.statusCode;
  res.write(body);
  res.flushHeaders();

  let discarded = 0;
  req.unpipe();
  req.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > MAX_DISCARDED_BYTES) closeSlowly(req.socket);
  });
  req.on('error', () => undefined);
  req.once('close', () => res.end());
  req.resume();
}

/** Closes this side of the connection, and destroys it after LINGER_MS. Data until then does not reset it. */
export function closeSlowly(socket: Duplex): void {
  if (socket.writableEnded) return;
  socket.end();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
