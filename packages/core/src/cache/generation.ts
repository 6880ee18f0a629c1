import { randomUUID } from 'node:crypto';
import { type Database, statement, text } from '../db';
import type { Logger } from '../log';
import { beforeDeadline } from '../time';
import { sharedRuns } from './shared-runs';

/** A process that reads from the cache rereads the generation from MySQL this often. */
const REFRESH_INTERVAL_MS = 1000;
/** With an older read, a process bypasses the cache. So no old entry is used for longer than this after a renewal. */
const MAX_AGE_MS = 2000;
/** A cache read waits this long for the generation, then loads its response from MySQL instead. */
const READ_TIMEOUT_MS = 200;
const RETRY_MS = 1000;

/**
 * The generation of all cache entries: a random value in MySQL, which every process can read even if Redis is down. A
 * writer renews it if Redis did not confirm an invalidation. Within 2 s no process uses older entries any more (see
 * docs/decisions/0004-cache-coherence.md).
 */
export interface CacheGeneration {
  /** Returns the generation that valid entries carry, or undefined if no recent value is known: bypass the cache then. */
  current(): Promise<string | undefined>;
  /**
   * Invalidates every entry.
   * @throws AppError the database error; the renewal is retried in the background until it succeeds
   */
  renew(): Promise<void>;
  close(): void;
}

/** Storage for the generation. */
export interface GenerationStore {
  read(): Promise<string>;
  renew(): Promise<void>;
}

/** The table that `generationIn` reads and writes. */
export const GENERATION_TABLE = 'cache_generation';

const READ_GENERATION = statement(
  'cache.generation',
  { generation: text },
  `SELECT generation FROM ${GENERATION_TABLE} WHERE id = 1`,
);
const RENEW_GENERATION = statement(
  'cache.renew',
  `INSERT INTO ${GENERATION_TABLE} (id, generation) VALUES (1, :generation)
   ON DUPLICATE KEY UPDATE generation = :generation`,
);

/** Stores the generation in one MySQL row. The row lock serializes renewals, and no old rows need cleaning up. */
export const generationIn = (db: () => Pick<Database, 'row' | 'writeRepeatable'>): GenerationStore => ({
  async read() {
    return (await db().row(READ_GENERATION))?.generation ?? 'none';
  },
  async renew() {
    await db().writeRepeatable(RENEW_GENERATION, { generation: randomUUID() });
  },
});

export function createGeneration(store: GenerationStore, { logger }: { logger: Logger }): CacheGeneration {
  let latest: { value: string; readAt: number } | undefined;
  let renewals = 0;
  let refreshing: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  const runShared = sharedRuns();
  const isRecent = (maxAgeMs: number) => latest !== undefined && performance.now() - latest.readAt < maxAgeMs;

  async function read(): Promise<void> {
    const readAt = performance.now();
    const renewalsBefore = renewals;
    const value = await store.read();
    // If this process renewed the generation in the meantime, the value may be from before the renewal.
    if (renewalsBefore === renewals) latest = { value, readAt };
  }

  function refresh(): Promise<void> {
    refreshing ??= read().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function renewOnce(): Promise<void> {
    clearTimeout(retry);
    try {
      await store.renew();
    } catch (error) {
      if (!closed) retry = setTimeout(() => void renew().catch(() => undefined), RETRY_MS).unref();
      logger.error(
        { err: error },
        'cached responses may be stale: the cache generation could not be renewed in MySQL, retrying every second',
      );
      throw error;
    } finally {
      renewals += 1;
      latest = undefined;
    }
  }

  const renew = (): Promise<void> => runShared('renew', renewOnce);

  return {
    async current() {
      if (isRecent(REFRESH_INTERVAL_MS)) return latest?.value;
      const refreshed = refresh();
      if (isRecent(MAX_AGE_MS)) refreshed.catch(() => undefined);
      else {
        const timeout = () => new Error('timeout');
        await beforeDeadline(Date.now() + READ_TIMEOUT_MS, refreshed, timeout).catch(() => undefined);
      }
      return isRecent(MAX_AGE_MS) ? latest?.value : undefined;
    },
    renew,
    close() {
      closed = true;
      clearTimeout(retry);
    },
  };
}
