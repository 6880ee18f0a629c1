import { randomUUID } from 'node:crypto';
import type { Metrics } from '../metrics';
import type { RedisLink } from '../redis';
import type { CacheGeneration } from './generation';
import { sharedRuns } from './shared-runs';

/** A version that nobody reads for so long goes; entries live much shorter. */
const VERSION_TTL_SECONDS = 86_400;
/** The scope that every answer depends on: changed after each connect, since this process may have missed an invalidation. */
export const EVERYTHING = 'epoch';

/** Which cached answer serves a request. */
export interface CacheRule {
  ttlSeconds: number;
  /** The name among this path's answers; whatever the answer depends on, the caller included, must be in it. */
  key: string;
  scopes: string[];
}

export interface CachedResponse {
  /** `coalesced`: shared a look-up that was already running. */
  status: 'hit' | 'coalesced' | 'miss' | 'bypass';
  bytes: Buffer;
}

/**
 * Answers kept as the bytes to send. Each depends on scopes (`product:7`, `owner:3`); a scope has a random version in
 * Redis that a writer removes after its commit and the next reader makes anew. An entry carries the versions that were
 * read *before* its data, so a slow reader cannot put back an old value, and invalidating is one command whatever the
 * number of entries. docs/decisions/0004-cache-coherence.md has the rules and why they suffice.
 */
export interface ResponseCache {
  /**
   * The kept answer, or what `load` makes of the database, kept for the next one unless a writer comes in between.
   * Concurrent reads of the same answer in this process share one `load`, with Redis and without.
   * @param cache names the kind of answer, the declared path: a metrics label; `key` tells its answers apart
   * @throws what `load` rejects with
   */
  getOrLoad(cache: string, rule: CacheRule, load: () => Promise<Buffer>): Promise<CachedResponse>;
  /**
   * To be awaited between the commit and the answer: afterwards no process serves what was there before, or, where Redis
   * did not confirm it, none does 2 s later.
   * @throws AppError what the database throws, where neither Redis nor MySQL can be told: the write must not be acknowledged
   */
  invalidate(scopes: string[]): Promise<void>;
  /** Invalidates everything after a write whose fate is unknown. Never rejects, and does not wait for MySQL. */
  invalidateAll(): Promise<void>;
}

interface CacheDeps {
  redis: RedisLink;
  generation: CacheGeneration;
  metrics: Metrics;
}

const versionKey = (scope: string): string => `cache:version:${scope}`;
const newVersion = (): string => randomUUID();

export function createResponseCache({ redis, generation, metrics }: CacheDeps): ResponseCache {
  const unconfirmed = metrics.counter({
    name: 'cache_unconfirmed_invalidations_total',
    help: 'Writes whose cache invalidation Redis did not confirm; each ends all cached answers through MySQL instead',
  });
  const requests = metrics.counter({
    name: 'cache_requests_total',
    help: 'Cache look-ups by the path whose answers are cached and by result',
    labelNames: ['cache', 'result'],
  });
  redis.onConnect(async (client) => {
    await client.set(versionKey(EVERYTHING), newVersion(), 'EX', VERSION_TTL_SECONDS);
  });

  /** One round trip, except for scopes that have no version yet. Rejects where the cache is not to be used. */
  async function lookUp(key: string, scopes: string[]): Promise<{ version: string; entry: Buffer | null }> {
    // While Redis is away the generation is not read: `use` rejects at once.
    const known = redis.status() === 'up' ? await generation.current() : 'unknown';
    if (known === undefined) throw new Error('the cache generation is not known');
    const versionKeys = scopes.map(versionKey);
    return redis.use('cache_read', async (client) => {
      const replies = await client.mgetBuffer(...versionKeys, key);
      const entry = replies.pop() ?? null;
      if (!replies.includes(null)) return { version: [known, ...replies].join(), entry };
      const minting = client.pipeline();
      for (const key of versionKeys) minting.set(key, newVersion(), 'EX', VERSION_TTL_SECONDS, 'NX');
      minting.mgetBuffer(...versionKeys);
      const versions = values(await minting.exec()).at(-1) as (Buffer | null)[];
      // A version that a writer removed meanwhile equals no other.
      return { version: [known, ...versions.map((version) => version ?? newVersion())].join(), entry: null };
    });
  }

  /** By key and versions: a reader with the same versions knows of no write that the running look-up could miss. */
  const running = new Map<string, Promise<Buffer>>();
  const loadShared = sharedRuns();

  /** Loads and stores. @param prefix the versions, read before the data */
  async function fill(key: string, prefix: Buffer, ttlSeconds: number, load: () => Promise<Buffer>): Promise<Buffer> {
    const bytes = await load();
    const entry = Buffer.concat([prefix, bytes]);
    await redis.use('cache_store', (client) => client.set(key, entry, 'EX', ttlSeconds)).catch(() => undefined);
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
    const flight = `${key}\n${found.version}`;
    const others = running.get(flight);
    if (others) return { status: 'coalesced', bytes: others };
    const filling = fill(key, prefix, ttlSeconds, load).finally(() => running.delete(flight));
    running.set(flight, filling);
    return { status: 'miss', bytes: filling };
  }

  /** @returns whether Redis has confirmed it: a command without an answer may never have been carried out */
  async function removeVersions(scopes: string[]): Promise<boolean> {
    const keys = [...new Set(scopes)].map(versionKey);
    try {
      // The next reader makes new versions. Unlike SET this works in a Redis whose memory is full, too.
      await redis.send((client) => client.unlink(...keys));
      return true;
    } catch {
      unconfirmed.inc();
      return false;
    }
  }

  return {
    async getOrLoad(cache, rule, load) {
      const { status, bytes } = await readThrough({ ...rule, key: `cache:answer:${cache}:${rule.key}` }, load);
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

/** The replies of a pipeline; the first error in it is thrown. */
function values(replies: [error: Error | null, reply: unknown][] | null): unknown[] {
  if (!replies) throw new Error('the pipeline was aborted');
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
