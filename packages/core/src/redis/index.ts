// First: it instruments ioredis.
import '../tracing';

export { connectRedis, type RedisConfig, type RedisLink, type RedisStatus } from './redis';
