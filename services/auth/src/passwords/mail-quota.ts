import type { Sql } from '@shop/core/db';
import { listMailTimes, lockMailTimes, updateMailTimes } from './mail-quotas.sql';

export interface MailQuota {
  /** What the limit applies to, e.g. `reset:user:7`. */
  subject: string;
  /** Mails per rolling hour. */
  limit: number;
}

const WINDOW_MS = 3_600_000;

const recentOf = (times: number[], now: number): number[] => times.filter((time) => time > now - WINDOW_MS);

/** Reads without a lock, so requests over a limit cost one cheap query each and do not wait for each other. */
export async function hasExhausted(sql: Sql, quotas: MailQuota[]): Promise<boolean> {
  for (const { subject, limit } of quotas) {
    if (recentOf(await listMailTimes(sql, subject), Date.now()).length >= limit) return true;
  }
  return false;
}

/**
 * Counts one mail against all quotas or none. Must run in a database transaction, with the quotas always in the same order
 * (they are locked one after the other).
 * @returns false if a quota is exhausted
 */
export async function takeFromQuotas(sql: Sql, quotas: MailQuota[]): Promise<boolean> {
  const taken: { subject: string; times: number[] }[] = [];
  for (const { subject, limit } of quotas) {
    const locked = await lockMailTimes(sql, subject, new Date(Date.now() + WINDOW_MS));
    const now = Date.now();
    const recent = recentOf(locked, now);
    if (recent.length >= limit) return false;
    taken.push({ subject, times: [...recent, now] });
  }
  for (const { subject, times } of taken) await updateMailTimes(sql, subject, times);
  return true;
}
