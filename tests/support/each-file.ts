import { Redis } from 'ioredis';
import { closeTestDatabase } from './test-database';

/** A worker's files share a Redis. A token bucket that one file emptied must not refuse the requests of the next. */
beforeAll(async () => {
  const redis = new Redis(Number(process.env.SHOP_TEST_REDIS_PORT), '127.0.0.1', { lazyConnect: true });
  try {
    await redis.connect();
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
});
afterAll(closeTestDatabase);
