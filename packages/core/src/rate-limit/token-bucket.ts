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
 * The token bucket as GCRA. The only state is the time at which the bucket will be full again ("theoretical arrival time"). A
 * request may take a token if it is then no more than `capacity` away.
 */
interface Gcra {
  /** The time in which one token is refilled, in microseconds. */
  interval: number;
  /** The time in which an empty bucket is refilled. */
  capacity: number;
}

function gcraOf({ perSecond, burst }: BucketSize): Gcra {
  const interval = Math.max(1, Math.round(1_000_000 / perSecond));
  return { interval, capacity: burst * interval };
}

/** @param debt the time until the bucket would be full again, with this request's token taken */
function stateOf(debt: number, { interval, capacity }: Gcra): BucketState {
  if (debt > capacity) return { allowed: false, remaining: 0, resetMs: (debt - capacity) / 1000 };
  return { allowed: true, remaining: Math.floor((capacity - debt) / interval), resetMs: debt / 1000 };
}

/**
 * The same in Redis: atomic, and on the clock of Redis. Returns the debt. A bucket cannot be more than empty. If the stored value
 * says so, the clock was set back or the rate was raised, and the bucket is reset.
 */
const TAKE_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local capacity = tonumber(ARGV[2])
local fullAt = tonumber(redis.call('GET', KEYS[1]) or now)
if fullAt < now or fullAt > now + capacity then fullAt = now end
local next = fullAt + ARGV[1]
local debt = next - now
if debt <= capacity then redis.call('SET', KEYS[1], next, 'PX', math.ceil(debt / 1000)) end
return debt
`;

export interface TokenBuckets {
  readonly size: BucketSize;
  take(key: string): Promise<BucketState & { store: 'redis' | 'process' }>;
}

/** The maximum number of clients that one process remembers. The least recently used bucket is evicted first. */
const MAX_LOCAL_BUCKETS = 50_000;

/** Buckets of this process only, used while Redis is down. */
export function processBuckets(size: BucketSize, now: () => number = () => performance.now() * 1000) {
  const gcra = gcraOf(size);
  // LRUCache allocates 1 MiB for its maximum at once, and most processes never need it.
  let buckets: LRUCache<string, number> | undefined;
  return {
    take(key: string): BucketState {
      const time = now();
      buckets ??= new LRUCache({ max: MAX_LOCAL_BUCKETS });
      const next = Math.max(buckets.get(key) ?? time, time) + gcra.interval;
      const state = stateOf(next - time, gcra);
      if (state.allowed) buckets.set(key, next);
      return state;
    },
  };
}

interface TakeCommand {
  takeToken(key: string, interval: number, capacity: number): Promise<number>;
}

/** Buckets shared by all replicas through Redis. While Redis is down, uses buckets of this process. */
export function tokenBuckets(redis: RedisLink, size: BucketSize): TokenBuckets {
  const local = processBuckets(size);
  const gcra = gcraOf(size);
  // defineCommand runs EVALSHA and falls back to EVAL, so it also works after Redis has lost its scripts.
  const withCommand = (client: Redis): Redis & TakeCommand => {
    if (!('takeToken' in client)) client.defineCommand('takeToken', { numberOfKeys: 1, lua: TAKE_SCRIPT });
    return client as Redis & TakeCommand;
  };
  return {
    size,
    async take(key) {
      try {
        const debt = await redis.use('rate_limit', function takeToken(client) {
          return withCommand(client).takeToken(key, gcra.interval, gcra.capacity);
        });
        return { ...stateOf(debt, gcra), store: 'redis' };
      } catch {
        return { ...local.take(key), store: 'process' };
      }
    },
  };
}
