export { clientIpOf, clientNetwork, type RateLimitBuckets, rateLimitMiddleware } from './rate-limit';
export { type BucketSize, tokenBuckets } from './token-bucket';
