import { createHash } from 'node:crypto';
import type { Sql } from '@shop/core/db';
import type { Client } from '../audit/client';
import { findExhausted, forgetExpiredQuotas, giveBackToQuota, type Quota, takeFromQuotas } from '../quotas/quota';
import type { AuthContext } from '../service';
import { tooManyAttempts } from './guessing.errors';

const FAILURES = 10;
const WINDOW_MS = 15 * 60_000;

/** One try to log in, which counts as a failure until it succeeds. */
export interface Attempt {
  quota: Quota;
  takenAt: number;
  /** Whether the limit is reached with it. */
  isLast: boolean;
}

/** Hashed, because the email address may be longer than a subject. It may belong to no account. */
const quotaOf = (email: string): Quota => ({
  subject: `login:${createHash('sha256').update(email).digest('hex')}`,
  limit: FAILURES,
  windowMs: WINDOW_MS,
});

/**
 * Counts a try before its password is checked, so that concurrent tries cannot exceed the limit. Clients that have logged in to
 * the account before are not counted, so strangers cannot lock the owner out.
 *
 * @throws AppError `too_many_attempts`, for known and unknown email addresses alike
 */
export async function countAttempt(ctx: AuthContext, email: string): Promise<Attempt> {
  const quota = quotaOf(email);
  const until = await findExhausted(ctx.db, [quota]);
  if (until !== undefined) throw refusal(until);
  const taken = await ctx.db.transaction(async function countLocked(sql) {
    return await takeFromQuotas(sql, [quota]);
  });
  await forgetExpiredQuotas(ctx);
  if ('exhaustedUntil' in taken) throw refusal(taken.exhaustedUntil);
  return { quota, ...taken };
}

const refusal = (until: number) =>
  tooManyAttempts({ retryAfterSeconds: Math.max(1, Math.ceil((until - Date.now()) / 1000)) });

/** For a try with a wrong password. @param userId undefined for an unknown email address */
export async function recordFailure(
  { audit }: AuthContext,
  attempt: Attempt | undefined,
  userId: number | undefined,
  client: Client,
): Promise<void> {
  if (attempt?.isLast) await audit.recordLoginFailures(userId, WINDOW_MS, client);
}

/** For a try that did not fail because of its password. Must run in a database transaction. */
export async function uncountAttempt(sql: Sql, { quota, takenAt }: Attempt): Promise<void> {
  await giveBackToQuota(sql, quota, takenAt);
}
