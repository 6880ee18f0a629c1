import type { Duplex } from 'node:stream';
import type { Request, Response } from 'express';
import { contextOf } from './request-context';

/** The rest of a refused body is read up to this size, which is the largest body that the gateway takes. */
const MAX_DISCARDED_BYTES = 5500 * 1024;
/** How long a connection that is closed on the sender's side still takes what the client sends. */
const LINGER_MS = 2000;

/**
 * Sends the whole response although the request's body may still be arriving, and discards the rest of that body before
 * the response ends. Closing the connection earlier would reset it, and a client that is still sending would lose the response.
 * The time is limited by the server's requestTimeout.
 */
export function sendEarly(req: Request, res: Response, body: string): void {
  res.setHeader('Content-Length', Buffer.byteLength(body));
  if (req.complete) {
    res.end(body);
    return;
  }
  // The client has its response now; the status counts even if it then disconnects instead of finishing its body.
  contextOf(res).refusedWith ??= res.statusCode;
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

/** Ends our side of the connection, and destroys it after a while: whatever arrives until then does not reset it. */
export function closeSlowly(socket: Duplex): void {
  if (socket.writableEnded) return;
  socket.end();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
