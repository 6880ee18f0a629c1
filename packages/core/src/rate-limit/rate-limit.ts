import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit, type Store } from 'express-rate-limit';
import type { Counter } from 'prom-client';
import { rateLimited } from '../errors';
import type { Metrics } from '../metrics';
import type { TokenBuckets } from './token-bucket';

/** Each client has one of each kind. Images and preflights have their own: browsers request them in bursts. */
export interface RateLimitBuckets {
  general: TokenBuckets;
  uploads: TokenBuckets;
  preflights: TokenBuckets;
}

interface RateLimitDeps {
  service: string;
  buckets: RateLimitBuckets;
  bucketOf: (req: Request) => keyof RateLimitBuckets;
  metrics: Metrics;
}

/** An IPv6 client usually owns a whole /64. It shares one bucket, or each request could come from a new address. */
const IPV6_PREFIX = 64;

/**
 * The client's IP address. Taken from X-Forwarded-For only if the peer is a trusted proxy. On a dual-stack socket, IPv4 clients
 * appear as ::ffff:192.0.2.1.
 */
export const clientIpOf = (req: Request): string =>
  (req.ip ?? req.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');

/** The IPv4 address, or the /64 of an IPv6 address. */
export const clientNetwork = (ip: string): string => ipKeyGenerator(ip, IPV6_PREFIX);

/** Per-IP token bucket as Express middleware, with `RateLimit` headers and 429. The IP is Express's `req.ip`. */
export function rateLimitMiddleware({ service, buckets, bucketOf, metrics }: RateLimitDeps): RequestHandler {
  const decisions = metrics.counter({
    name: 'rate_limit_decisions_total',
    help: 'Rate limit decisions, by where the bucket is kept (Redis, or this process while Redis is down)',
    labelNames: ['decision', 'store'],
  });
  const limiters = {
    general: limiter(buckets.general, `rate:${service}:`, decisions),
    uploads: limiter(buckets.uploads, `rate:${service}:uploads:`, decisions),
    preflights: limiter(buckets.preflights, `rate:${service}:preflights:`, decisions),
  };
  return function limitRate(req, res, next) {
    limiters[bucketOf(req)](req, res, next);
  };
}

function limiter(
  { size, take }: TokenBuckets,
  keyPrefix: string,
  decisions: Counter<'decision' | 'store'>,
): RequestHandler {
  const store: Store = {
    async increment(key) {
      const { allowed, remaining, resetMs, store: decidedBy } = await take(keyPrefix + key);
      decisions.inc({ decision: allowed ? 'allowed' : 'refused', store: decidedBy });
      return {
        totalHits: allowed ? size.burst - remaining : size.burst + 1,
        // The headers use whole seconds, and 0 would mean "retry at once".
        resetTime: new Date(Date.now() + Math.max(1000, resetMs)),
      };
    },
    // Required by the interface, for options that are not used here. Tokens are never returned.
    decrement: () => undefined,
    resetKey: () => undefined,
  };
  return rateLimit({
    windowMs: Math.max(1000, Math.ceil((size.burst / size.perSecond) * 1000)),
    limit: size.burst,
    store,
    keyGenerator: (req) => clientNetwork(clientIpOf(req)),
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    handler: (_req, _res, next) => next(rateLimited()),
    validate: false,
  });
}
