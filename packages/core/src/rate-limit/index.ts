export { clientIpOf, clientNetwork, type RateLimitBuckets, rateLimitMiddleware } from './rate-limit';
export { type BucketSize, type TokenBuckets, tokenBuckets } from './token-bucket';
