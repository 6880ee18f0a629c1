import type { Database, Sql } from '@shop/core/db';
import type { Logger } from '@shop/core/log';
import { deleteExpiredQuotas, listTimes, lockTimes, updateTimes } from './quotas.sql';

/** At most `limit` events of the subject in any period of `windowMs`. */
export interface Quota {
  /** What the limit applies to, e.g. `reset:user:7`. */
  subject: string;
  /** At most 36, the number of times that fit in the column. */
  limit: number;
  windowMs: number;
}

const CLEANUP_BATCH = 16;

const recentOf = (times: number[], { windowMs }: Quota, now: number): number[] =>
  times.filter((time) => time > now - windowMs);

/** Milliseconds since the epoch: when an exhausted quota allows the next event; undefined if it is not exhausted. */
function exhaustedUntil(recent: number[], { limit, windowMs }: Quota): number | undefined {
  const oldest = recent.at(-limit);
  return oldest === undefined ? undefined : oldest + windowMs;
}

/** Reads without a lock, so requests over a limit cost one cheap query each and do not wait for each other. */
export async function findExhausted(sql: Sql, quotas: readonly Quota[]): Promise<number | undefined> {
  for (const quota of quotas) {
    const until = exhaustedUntil(recentOf(await listTimes(sql, quota.subject), quota, Date.now()), quota);
    if (until !== undefined) return until;
  }
  return undefined;
}

/** Times in milliseconds since the epoch. `isLast`: the next event would be refused. */
export type Taken = { takenAt: number; isLast: boolean } | { exhaustedUntil: number };

/**
 * Counts one event against all quotas or none. Must run in a database transaction, with the quotas always in the same order
 * (they are locked one after the other).
 */
export async function takeFromQuotas(sql: Sql, quotas: readonly Quota[]): Promise<Taken> {
  const counted: { subject: string; recent: number[]; isLast: boolean }[] = [];
  for (const quota of quotas) {
    const locked = await lockTimes(sql, quota.subject, new Date(Date.now() + quota.windowMs));
    const recent = recentOf(locked, quota, Date.now());
    const until = exhaustedUntil(recent, quota);
    if (until !== undefined) return { exhaustedUntil: until };
    counted.push({ subject: quota.subject, recent, isLast: recent.length + 1 >= quota.limit });
  }
  const takenAt = Date.now();
  for (const { subject, recent } of counted) await updateTimes(sql, subject, [...recent, takenAt]);
  return { takenAt, isLast: counted.some(({ isLast }) => isLast) };
}

/** Uncounts an event. Must run in a database transaction. */
export async function giveBackToQuota(sql: Sql, quota: Quota, takenAt: number): Promise<void> {
  const times = await lockTimes(sql, quota.subject, new Date(Date.now() + quota.windowMs));
  const index = times.indexOf(takenAt);
  if (index >= 0) await updateTimes(sql, quota.subject, times.toSpliced(index, 1));
}

/** Call it with each event, so that the table does not grow without bound. A failure here is only logged. */
export async function forgetExpiredQuotas({ db, logger }: { db: Database; logger: Logger }): Promise<void> {
  try {
    await deleteExpiredQuotas(db, new Date(), CLEANUP_BATCH);
  } catch (error) {
    logger.warn({ err: error }, 'could not delete expired quotas, retrying with the next event');
  }
}
