import type { MailQuotaRepository } from './mail-quota.repository';

export interface MailQuota {
  /** Whose mails are counted, e.g. `reset:user:7`. */
  subject: string;
  /** Mails in any hour. */
  limit: number;
}

const WINDOW_MS = 3_600_000;

const recentOf = (times: number[], now: number): number[] => times.filter((time) => time > now - WINDOW_MS);

/** Reads without a lock: a flood of requests beyond a limit costs one cheap query each, and does not wait in a row. */
export async function findExhausted(
  mailQuotas: Pick<MailQuotaRepository, 'find'>,
  quotas: MailQuota[],
): Promise<MailQuota | undefined> {
  for (const quota of quotas) {
    if (recentOf(await mailQuotas.find(quota.subject), Date.now()).length >= quota.limit) return quota;
  }
  return undefined;
}

/**
 * Counts one mail against every quota, or against none. To be called in a transaction, always with the quotas in the same
 * order.
 * @returns the quota that is exhausted
 */
export async function takeFromQuotas(
  mailQuotas: Pick<MailQuotaRepository, 'lock' | 'updateTimes'>,
  quotas: MailQuota[],
): Promise<MailQuota | undefined> {
  const taken: { subject: string; times: number[] }[] = [];
  for (const quota of quotas) {
    const locked = await mailQuotas.lock(quota.subject, new Date(Date.now() + WINDOW_MS));
    const now = Date.now();
    const recent = recentOf(locked, now);
    if (recent.length >= quota.limit) return quota;
    taken.push({ subject: quota.subject, times: [...recent, now] });
  }
  for (const { subject, times } of taken) await mailQuotas.updateTimes(subject, times);
  return undefined;
}
