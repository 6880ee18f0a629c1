import { type ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Response } from 'express';

export type HeaderList = readonly (readonly [name: string, value: string])[];

type Middleware = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/** The headers that a middleware sets on the response to a GET. Only for one that is synchronous, and that reads no other headers than these. */
export function headersSetBy(middleware: Middleware, requestHeaders: Record<string, string> = {}): HeaderList {
  const req = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', headers: requestHeaders });
  // The types of Node lack the method here. `getHeaders` has the names in lower case.
  const res = new ServerResponse(req) as ServerResponse & Pick<ClientRequest, 'getRawHeaderNames'>;
  middleware(req, res, () => undefined);
  return res.getRawHeaderNames().map((name) => [name, String(res.getHeader(name))]);
}

/** Faster than Express's `res.set`, which looks every media type up. */
export function setHeaderList(res: Response, headers: HeaderList): void {
  for (const [name, value] of headers) res.setHeader(name, value);
}
