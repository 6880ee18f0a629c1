// First: it instruments ioredis.
import '../tracing';

export { connectRedis, type RedisLink, type RedisStatus } from './redis';
export { type RedisConfig, redisConfigOf, redisSettings, serverOptions } from './redis-config';
