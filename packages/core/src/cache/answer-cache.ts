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

export type CacheResult =
  | { status: 'hit'; bytes: Buffer }
  /** `store` puts the answer in, unless a writer came in between. */
  | { status: 'miss'; store: (bytes: Buffer) => Promise<void> }
  | { status: 'bypass' };

/**
 * Answers kept as the bytes to send. Each depends on scopes (`product:7`, `owner:3`); a scope has a random version in
 * Redis that a writer removes after its commit and the next reader makes anew. An entry carries the versions that were
 * read *before* its data, so a slow reader cannot put back an old value, and invalidating is one command whatever the
 * number of entries.
 */
export interface AnswerCache {
  /** @param cache names the kind of answer, the declared path: a metrics label; `key` tells its answers apart */
  read(cache: string, rule: CacheRule): Promise<CacheResult>;
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
      return { version: versions.join(), entry: null };
    });
  }

  return {
    async read(cache, { key: ownKey, scopes, ttlSeconds }) {
      const key = `cache:answer:${cache}:${ownKey}`;
      try {
        const { version, entry } = await lookUp(key, [EPOCH, ...scopes]);
        const prefix = Buffer.from(`${version}\n`);
        if (entry?.subarray(0, prefix.length).equals(prefix)) {
          metrics.cacheRequests.inc({ cache, result: 'hit' });
          return { status: 'hit', bytes: entry.subarray(prefix.length) };
        }
        metrics.cacheRequests.inc({ cache, result: 'miss' });
        const store = (bytes: Buffer) =>
          redis
            .use('cache_store', (client) => client.set(key, Buffer.concat([prefix, bytes]), 'EX', ttlSeconds))
            .then(
              () => undefined,
              () => undefined,
            );
        return { status: 'miss', store };
      } catch {
        metrics.cacheRequests.inc({ cache, result: 'bypass' });
        return { status: 'bypass' };
      }
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
