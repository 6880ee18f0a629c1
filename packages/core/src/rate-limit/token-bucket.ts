import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { RedisLink } from '../redis';

/** A bucket of `burst` tokens that refills at `perSecond` tokens per second. */
export interface BucketSize {
  perSecond: number;
  burst: number;
}

interface BucketState {
  allowed: boolean;
  remaining: number;
  /** If refused, the time until the next token. If allowed, the time until the bucket is full. */
  resetMs: number;
}

/**
 * The token bucket as GCRA. The only state is the time at which the bucket will be full again ("theoretical arrival time"),
 * in microseconds.
 */
function take(fullAt: number, now: number, { perSecond, burst }: BucketSize): { fullAt: number; state: BucketState } {
  const interval = Math.max(1, Math.round(1_000_000 / perSecond));
  const next = Math.max(fullAt, now) + interval;
  const debt = next - now;
  const capacity = burst * interval;
  if (debt > capacity) return { fullAt, state: { allowed: false, remaining: 0, resetMs: (debt - capacity) / 1000 } };
  return {
    fullAt: next,
    state: { allowed: true, remaining: Math.floor((capacity - debt) / interval), resetMs: debt / 1000 },
  };
}

/**
 * The same in Redis: atomic, and on the clock of Redis. Returns { allowed, remaining, reset in microseconds }. A bucket cannot
 * be more than empty. If the stored value says so, the clock was set back or the rate was raised, and the bucket is reset.
 */
const TAKE_SCRIPT = `
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local fullAt = tonumber(redis.call('GET', KEYS[1]) or now)
local capacity = burst * interval
if fullAt > now + capacity then fullAt = now end
local next = math.max(fullAt, now) + interval
local debt = next - now
if debt > capacity then return { 0, 0, debt - capacity } end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil(debt / 1000))
return { 1, math.floor((capacity - debt) / interval), debt }
`;

export interface TokenBuckets {
  readonly size: BucketSize;
  take(key: string): Promise<BucketState & { store: 'redis' | 'process' }>;
}

/** The maximum number of clients that one process remembers. The least recently used bucket is evicted first. */
const MAX_LOCAL_BUCKETS = 50_000;

/** Buckets of this process only, used while Redis is down. */
export function processBuckets(size: BucketSize, now: () => number = () => performance.now() * 1000) {
  const buckets = new LRUCache<string, number>({ max: MAX_LOCAL_BUCKETS });
  return {
    take(key: string): BucketState {
      const time = now();
      const { fullAt, state } = take(buckets.get(key) ?? time, time, size);
      buckets.set(key, fullAt);
      return state;
    },
  };
}

interface TakeCommand {
  takeToken(
    key: string,
    interval: number,
    burst: number,
  ): Promise<[allowed: number, remaining: number, resetMicros: number]>;
}

/** Buckets shared by all replicas through Redis. While Redis is down, uses buckets of this process. */
export function tokenBuckets(redis: RedisLink, size: BucketSize): TokenBuckets {
  const local = processBuckets(size);
  const interval = Math.max(1, Math.round(1_000_000 / size.perSecond));
  // defineCommand runs EVALSHA and falls back to EVAL, so it also works after Redis has lost its scripts.
  const withCommand = (client: Redis): Redis & TakeCommand => {
    if (!('takeToken' in client)) client.defineCommand('takeToken', { numberOfKeys: 1, lua: TAKE_SCRIPT });
    return client as Redis & TakeCommand;
  };
  return {
    size,
    async take(key) {
      try {
        const [allowed, remaining, reset] = await redis.use('rate_limit', async function takeToken(client) {
          return await withCommand(client).takeToken(key, interval, size.burst);
        });
        return { allowed: allowed === 1, remaining, resetMs: reset / 1000, store: 'redis' };
      } catch {
        return { ...local.take(key), store: 'process' };
      }
    },
  };
}
