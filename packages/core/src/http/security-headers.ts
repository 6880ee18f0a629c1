import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

const setSecurityHeaders = helmet({
  // HSTS must be set where TLS is terminated.
  strictTransportSecurity: false,
  // An API sends data, never a page to render; the docs page sets its own policy.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
  },
  xFrameOptions: { action: 'deny' },
});

/** The security headers of every response, as Express middleware. */
export const securityHeaders: RequestHandler = setSecurityHeaders;

/** The same headers as an object, for responses that are written without a response object. */
export function listSecurityHeaders(): OutgoingHttpHeaders {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  setSecurityHeaders(req, res, () => undefined);
  return { ...res.getHeaders() };
}
