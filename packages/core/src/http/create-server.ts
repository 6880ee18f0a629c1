import { createServer, IncomingMessage, type Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Express } from 'express';

/**
 * Creates a server whose requests and responses have Express's prototypes from the start. Express would otherwise change those of
 * each, and V8 then gives each a hidden class of its own: its inline caches miss in the whole request, which on Node 20 costs as
 * much CPU time as all the rest. See docs/decisions/0047-request-path.md.
 */
export function createAppServer(app: Express, options: ServerOptions = {}): Server {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  // Express still sets these prototypes, which the messages have already.
  app.request = AppRequest.prototype as typeof app.request;
  app.response = AppResponse.prototype as typeof app.response;
  return createServer({ ...options, IncomingMessage: AppRequest, ServerResponse: AppResponse }, app);
}
