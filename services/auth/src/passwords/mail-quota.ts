import type { Sql } from '@shop/core/db';
import { listMailTimes, lockMailTimes, updateMailTimes } from './mail-quotas.sql';

export interface MailQuota {
  /** Whose mails are counted, e.g. `reset:user:7`. */
  subject: string;
  /** Mails in any hour. */
  limit: number;
}

const WINDOW_MS = 3_600_000;

const recentOf = (times: number[], now: number): number[] => times.filter((time) => time > now - WINDOW_MS);

/** Reads without a lock: a flood of requests over a limit costs one cheap query each, and they do not wait for each other. */
export async function hasExhausted(sql: Sql, quotas: MailQuota[]): Promise<boolean> {
  for (const { subject, limit } of quotas) {
    if (recentOf(await listMailTimes(sql, subject), Date.now()).length >= limit) return true;
  }
  return false;
}

/**
 * Counts one mail against every quota, or against none. Needs a database transaction, and always the same order of quotas.
 * @returns false: one of them is exhausted
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
