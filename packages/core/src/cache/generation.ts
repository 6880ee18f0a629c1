import { randomUUID } from 'node:crypto';
import { type Database, statement, text } from '../db';
import type { Logger } from '../log';
import { beforeDeadline } from '../time';
import { sharedRuns } from './shared-runs';

/** How often a process that reads from the cache asks MySQL for the generation. */
const LOOK_EVERY_MS = 1000;
/** Without an answer for this long it does not use the cache: no entry is believed longer after a renewal. */
const BELIEVE_MS = 2000;
/** How long a read waits for the generation; loading its answer from MySQL is the alternative. */
const LOOK_TIMEOUT_MS = 200;
const RETRY_MS = 1000;

/**
 * The generation of all cache entries: a random value in MySQL, which every process can see even where Redis cannot be
 * reached. A writer whose invalidation Redis did not confirm renews it, and within 2 s no process believes older entries
 * (see docs/decisions/0004-cache-coherence.md).
 */
export interface CacheGeneration {
  /** The generation to believe entries of; undefined where it is not known well enough: do not use the cache. */
  current(): Promise<string | undefined>;
  /** Ends every entry. @throws AppError what the database throws; it is then tried again until it succeeds */
  renew(): Promise<void>;
  close(): void;
}

/** Where the generation is kept. */
export interface GenerationStore {
  read(): Promise<string>;
  renew(): Promise<void>;
}

/** The table that `generationIn` needs. */
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

/** One row in MySQL. Its lock puts renewals in order, and there is nothing to clear up. */
export const generationIn = (db: () => Pick<Database, 'row' | 'writeRepeatable'>): GenerationStore => ({
  async read() {
    return (await db().row(READ_GENERATION))?.generation ?? 'none';
  },
  async renew() {
    await db().writeRepeatable(RENEW_GENERATION, { generation: randomUUID() });
  },
});

export function createGeneration(store: GenerationStore, { logger }: { logger: Logger }): CacheGeneration {
  let known: { value: string; askedAt: number } | undefined;
  let renewals = 0;
  let looking: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  const runShared = sharedRuns();
  const isKnown = () => known !== undefined && performance.now() - known.askedAt < BELIEVE_MS;

  async function ask(): Promise<void> {
    const askedAt = performance.now();
    const before = renewals;
    const value = await store.read();
    // A renewal of our own ended meanwhile: this may be the value of before it.
    if (before === renewals) known = { value, askedAt };
  }

  function look(): Promise<void> {
    looking ??= ask().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function renewOnce(): Promise<void> {
    clearTimeout(retry);
    try {
      await store.renew();
    } catch (error) {
      if (!closed) retry = setTimeout(() => void renew().catch(() => undefined), RETRY_MS).unref();
      logger.error(
        { err: error },
        'cached answers may be out of date: MySQL could not be told; trying again each second',
      );
      throw error;
    } finally {
      renewals += 1;
      known = undefined;
    }
  }

  const renew = (): Promise<void> => runShared('renew', renewOnce);

  return {
    async current() {
      if (known && performance.now() - known.askedAt < LOOK_EVERY_MS) return known.value;
      const looked = look();
      if (isKnown()) looked.catch(() => undefined);
      else await beforeDeadline(Date.now() + LOOK_TIMEOUT_MS, looked, () => new Error('late')).catch(() => undefined);
      return isKnown() ? known?.value : undefined;
    },
    renew,
    close() {
      closed = true;
      clearTimeout(retry);
    },
  };
}
