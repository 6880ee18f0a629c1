import { randomUUID } from 'node:crypto';
import type { CacheRule } from '../http/endpoint';
import type { Logger } from '../log/logger';
import type { Metrics } from '../metrics/metrics';
import { isTimeout, type RedisLink } from './redis';
import { cacheScope } from './scopes';

/** A version that nobody reads for so long goes; entries live much shorter. */
const VERSION_TTL_SECONDS = 86_400;
/** How long a writer waits for a Redis that is just coming back. */
const RETURN_WAIT_MS = 1000;
/** The scope of everything: changed after each connect, since this process may have missed an invalidation. */
const EPOCH = cacheScope.everything;

export interface CachedAnswer {
  /** `coalesced`: a look-up for somebody else was on its way already. */
  status: 'hit' | 'coalesced' | 'miss' | 'bypass';
  bytes: Buffer;
}

/**
 * Answers kept as the bytes to send. Each depends on scopes (`product:7`, `owner:3`); a scope has a random version in
 * Redis that a writer removes after its commit and the next reader makes anew. An entry carries the versions that were
 * read *before* its data, so a slow reader cannot put back an old value, and invalidating is one command whatever the
 * number of entries.
 */
export interface AnswerCache {
  /**
   * The kept answer, or what `load` makes of the database, kept for the next one unless a writer comes in between. Of those
   * who miss the same answer at once in this process, one loads it for all.
   * @param cache names the kind of answer, the declared path: a metrics label; `key` tells its answers apart
   * @throws what `load` rejects with
   */
  answer(cache: string, rule: CacheRule, load: () => Promise<Buffer>): Promise<CachedAnswer>;
  /**
   * To be awaited between the commit and the answer. Never rejects. When Redis is away it returns at once: nobody can read
   * the old entries, and whoever connects next starts a new epoch first (see docs/decisions/0004-cache-coherence.md).
   */
  invalidate(scopes: string[]): Promise<void>;
}

interface CacheParts {
  redis: RedisLink;
  logger: Logger;
  metrics: Metrics;
}

const versionKey = (scope: string): string => `cache:version:${scope}`;
const newVersion = (): string => randomUUID();

export function createAnswerCache({ redis, logger, metrics }: CacheParts): AnswerCache {
  redis.onConnect(async (client) => {
    await client.set(versionKey(EPOCH), newVersion(), 'EX', VERSION_TTL_SECONDS);
  });

  /** One round trip, but for scopes that nobody asked for within a day. */
  async function lookUp(key: string, scopes: string[]): Promise<{ version: string; entry: Buffer | null }> {
    const versionKeys = scopes.map(versionKey);
    return redis.use('cache_read', async (client) => {
      const replies = await client.mgetBuffer(...versionKeys, key);
      const entry = replies.pop() ?? null;
      if (!replies.includes(null)) return { version: replies.join(), entry };
      const minting = client.pipeline();
      for (const key of versionKeys) minting.set(key, newVersion(), 'EX', VERSION_TTL_SECONDS, 'NX');
      minting.mgetBuffer(...versionKeys);
      const versions = values(await minting.exec()).at(-1) as (Buffer | null)[];
      // One that a writer has removed meanwhile equals no other's.
      return { version: versions.map((version) => version ?? newVersion()).join(), entry: null };
    });
  }

  /** By key and the versions read: whoever has read the same ones knows of no write that a running look-up could miss. */
  const running = new Map<string, Promise<Buffer>>();

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
  ): Promise<{ status: CachedAnswer['status']; bytes: Buffer | Promise<Buffer> }> {
    let found: Awaited<ReturnType<typeof lookUp>>;
    try {
      found = await lookUp(key, [EPOCH, ...scopes]);
    } catch {
      return { status: 'bypass', bytes: load() };
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

  return {
    async answer(cache, rule, load) {
      const { status, bytes } = await readThrough({ ...rule, key: `cache:answer:${cache}:${rule.key}` }, load);
      metrics.cacheRequests.inc({ cache, result: status });
      return { status, bytes: await bytes };
    },

    async invalidate(scopes) {
      if (redis.status() === 'disabled') return;
      const keys = [...new Set(scopes)].map(versionKey);
      // The next reader makes a new version. Unlike SET this works in a Redis whose memory is full, too.
      const forget = () => redis.send((client) => client.unlink(...keys));
      try {
        await forget();
        return;
      } catch (error) {
        // Frozen: the command is in its socket, and comes before whatever is read when it thaws.
        if (isTimeout(error)) return;
        // Away. Where it is coming back just now, another process may be reading it already: wait for our own connection.
      }
      try {
        if (await redis.back(RETURN_WAIT_MS)) await forget();
      } catch (error) {
        logger.warn(
          { err: error, scopes },
          'cache invalidation failed; entries die with their epoch or after their lifetime',
        );
      }
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
