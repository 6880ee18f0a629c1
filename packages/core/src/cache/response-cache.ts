import { randomUUID } from 'node:crypto';
import type { Metrics } from '../metrics';
import type { RedisLink } from '../redis';
import type { CacheGeneration } from './generation';
import { sharedRuns } from './shared-runs';

/** Redis drops a scope version this long after it was set. Cached responses expire much earlier. */
const VERSION_TTL_SECONDS = 86_400;
/** Every cached response depends on this scope. Each connect changes it: an invalidation may have been missed. */
export const EVERYTHING = 'epoch';

/** Identifies the cached response for a request. */
export interface CacheRule {
  ttlSeconds: number;
  /** Unique per path. Contains everything that the response depends on, including the caller. */
  key: string;
  scopes: string[];
}

interface CachedResponse {
  /** `coalesced`: shared a database query that was already running. */
  status: 'hit' | 'coalesced' | 'miss' | 'bypass';
  bytes: Buffer;
}

/**
 * Caches responses as the bytes to send. Each response depends on scopes (`product:7`, `owner:3`). A scope has a random
 * version in Redis: a writer removes it after its commit, and the next reader sets a new one. An entry carries the versions
 * that were read *before* its data, so a slow reader cannot restore an old value. Invalidation is one command, whatever the
 * number of entries. See docs/decisions/0004-cache-coherence.md for the rules and the proof.
 */
export interface ResponseCache {
  /**
   * Returns the cached response, or calls `load` and caches the result, unless a writer invalidates it in the meantime.
   * Concurrent misses for the same response in this process share one `load`, with and without Redis.
   * @param cache the declared path, also the metrics label; `key` distinguishes the responses of a path
   * @throws what `load` rejects with
   */
  getOrLoad(cache: string, rule: CacheRule, load: () => Promise<Buffer>): Promise<CachedResponse>;
  /**
   * Await this between the commit and the response. Once it resolves, no process serves the old data; if Redis did not
   * confirm, no process does 2 s later.
   * @throws AppError the database error, if neither Redis nor MySQL confirms: do not acknowledge the write then
   */
  invalidate(scopes: string[]): Promise<void>;
  /** Invalidates everything after a write with an unknown outcome. Never rejects, and does not wait for MySQL. */
  invalidateAll(): Promise<void>;
}

interface CacheDeps {
  redis: RedisLink;
  generation: CacheGeneration;
  metrics: Metrics;
}

const versionKey = (scope: string): string => `cache:version:${scope}`;
/** `2`: with another content of the entries, change it. Replicas of the release before may still run. */
const responseKey = (cache: string, { key }: CacheRule): string => `cache:response:2:${cache}:${key}`;
const newVersion = (): string => randomUUID();

export function createResponseCache({ redis, generation, metrics }: CacheDeps): ResponseCache {
  const unconfirmed = metrics.counter({
    name: 'cache_unconfirmed_invalidations_total',
    help: 'Cache invalidations that Redis did not confirm; each invalidates all cached responses through MySQL instead',
  });
  const requests = metrics.counter({
    name: 'cache_requests_total',
    help: 'Cache lookups by declared path and result (hit, coalesced, miss, bypass)',
    labelNames: ['cache', 'result'],
  });
  redis.onConnect(async (client) => {
    await client.set(versionKey(EVERYTHING), newVersion(), 'EX', VERSION_TTL_SECONDS);
  });

  /** Takes one round trip, or two if a scope has no version yet. Rejects if the cache must be bypassed. */
  async function lookUp(key: string, scopes: string[]): Promise<{ version: string; entry: Buffer | null }> {
    // While Redis is down the generation is not needed: `use` rejects at once.
    const current = redis.status() === 'up' ? await generation.current() : 'unknown';
    if (current === undefined) throw new Error('the cache generation is not known');
    const versionKeys = scopes.map(versionKey);
    return redis.use('cache_read', async function readVersionsAndEntry(client) {
      const replies = await client.mgetBuffer(...versionKeys, key);
      const entry = replies.pop() ?? null;
      if (!replies.includes(null)) return { version: [current, ...replies].join(), entry };
      const pipeline = client.pipeline();
      for (const key of versionKeys) pipeline.set(key, newVersion(), 'EX', VERSION_TTL_SECONDS, 'NX');
      pipeline.mgetBuffer(...versionKeys);
      const versions = values(await pipeline.exec()).at(-1) as (Buffer | null)[];
      // If a writer removed a version in the meantime, use a random one, which matches no other.
      return { version: [current, ...versions.map((version) => version ?? newVersion())].join(), entry: null };
    });
  }

  /** By key and versions. A reader of the same versions cannot expect a write that the query may have missed. */
  const running = new Map<string, Promise<Buffer>>();
  const loadShared = sharedRuns();

  /** @param prefix the versions, which must be read before the data */
  async function fill(key: string, prefix: Buffer, ttlSeconds: number, load: () => Promise<Buffer>): Promise<Buffer> {
    const bytes = await load();
    const entry = Buffer.concat([prefix, bytes]);
    await redis
      .use('cache_store', async function store(client) {
        await client.set(key, entry, 'EX', ttlSeconds);
      })
      .catch(() => undefined);
    return bytes;
  }

  async function readThrough(
    { key, ttlSeconds, scopes }: CacheRule,
    load: () => Promise<Buffer>,
  ): Promise<{ status: CachedResponse['status']; bytes: Buffer | Promise<Buffer> }> {
    let found: Awaited<ReturnType<typeof lookUp>>;
    try {
      found = await lookUp(key, [EVERYTHING, ...scopes]);
    } catch {
      return { status: 'bypass', bytes: loadShared(key, load) };
    }
    const prefix = Buffer.from(`${found.version}\n`);
    if (found.entry?.subarray(0, prefix.length).equals(prefix)) {
      return { status: 'hit', bytes: found.entry.subarray(prefix.length) };
    }
    const queryKey = `${key}\n${found.version}`;
    const sharedQuery = running.get(queryKey);
    if (sharedQuery) return { status: 'coalesced', bytes: sharedQuery };
    const filling = fill(key, prefix, ttlSeconds, load).finally(() => running.delete(queryKey));
    running.set(queryKey, filling);
    return { status: 'miss', bytes: filling };
  }

  /** @returns whether Redis confirmed it: an unconfirmed command may never have been executed */
  async function removeVersions(scopes: string[]): Promise<boolean> {
    const keys = [...new Set(scopes)].map(versionKey);
    try {
      // The next reader sets new versions. Unlike SET, UNLINK also works when the memory of Redis is full.
      await redis.send(async function unlinkVersions(client) {
        await client.unlink(...keys);
      });
      return true;
    } catch {
      unconfirmed.inc();
      return false;
    }
  }

  return {
    async getOrLoad(cache, rule, load) {
      const { status, bytes } = await readThrough({ ...rule, key: responseKey(cache, rule) }, load);
      requests.inc({ cache, result: status });
      return { status, bytes: await bytes };
    },

    async invalidate(scopes) {
      if (!(await removeVersions(scopes))) await generation.renew();
    },

    async invalidateAll() {
      if (!(await removeVersions([EVERYTHING]))) generation.renew().catch(() => undefined);
    },
  };
}

/** Returns the replies of a pipeline, or throws its first error. */
function values(replies: [error: Error | null, reply: unknown][] | null): unknown[] {
  if (!replies) throw new Error('the pipeline was aborted');
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
