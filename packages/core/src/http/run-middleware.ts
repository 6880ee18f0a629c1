import type { Request, RequestHandler, Response } from 'express';

/** Runs an Express middleware as a promise. */
export function runMiddleware(middleware: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise(function run(resolve, reject) {
    middleware(req, res, function done(error?: unknown) {
      if (error) reject(error);
      else resolve();
    });
  });
}
