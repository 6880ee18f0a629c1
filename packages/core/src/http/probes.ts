import { Router } from 'express';
import type { PoolStats } from '../db';
import { AppError, databaseUnavailable } from '../errors';
import type { Metrics } from '../metrics';
import type { RedisStatus } from '../redis';
import { allowOnly } from './allow';
import { PROBES } from './probe-paths';
import { contextOf } from './request-context';

/** Supplies what the probes report. */
export interface Probes {
  pool(): PoolStats;
  redis(): RedisStatus;
  /** Rejects with an AppError while the service is not ready. */
  checkReady(): Promise<void>;
}

/** /health (liveness: always fast, checks no dependency), /ready and /metrics. Exempt from the rate limit. */
export function probeRoutes(service: string, probes: Probes, metrics: Metrics): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.use(function onlyProbes(req, res, next) {
    if (!PROBES.has(req.path)) return next('router');
    if (req.method === 'GET' || req.method === 'HEAD') contextOf(res).route = req.path;
    res.setHeader('Cache-Control', 'no-store');
    next();
  });
  router.get('/health', function health(_req, res) {
    res.json({
      status: 'ok',
      service,
      uptime_seconds: Math.round(process.uptime()),
      database: probes.pool(),
      redis: { status: probes.redis() },
    });
  });
  router.get('/ready', async function ready(_req, res) {
    try {
      await probes.checkReady();
    } catch (error) {
      // Respond with 503 for any error: it is not a bug in this request. Load balancers read the status, people the
      // detail.
      throw error instanceof AppError ? error : databaseUnavailable({ cause: error });
    }
    res.json({ status: 'ready', service });
  });
  router.get('/metrics', async function scrape(_req, res) {
    res.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  router.all([...PROBES], allowOnly(['GET']));
  return router;
}
