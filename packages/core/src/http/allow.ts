import type { RequestHandler } from 'express';
import { methodNotAllowed } from '../errors';

/** Last on a path: every other method is 405 with `Allow`, and OPTIONS is told what there is. */
export function allowOnly(methods: string[]): RequestHandler {
  const known = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
  const allow = [...new Set(known)].sort().join(', ');
  return (req, res, next) => {
    res.setHeader('Allow', allow);
    if (req.method === 'OPTIONS') res.status(204).end();
    else next(methodNotAllowed());
  };
}
