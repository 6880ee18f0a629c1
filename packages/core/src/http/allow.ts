import type { RequestHandler } from 'express';
import { methodNotAllowed } from '../errors';

/** The last handler of a path: responds to OPTIONS with `Allow`, and to every other method with 405 and `Allow`. */
export function allowOnly(methods: string[]): RequestHandler {
  const supported = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
  const allow = [...new Set(supported)].sort().join(', ');
  return function refuseMethod(req, res, next) {
    res.setHeader('Allow', allow);
    if (req.method === 'OPTIONS') res.status(204).end();
    else next(methodNotAllowed());
  };
}
