import { createHash } from 'node:crypto';
import type { Sql } from '@shop/core/db';
import type { ErrorDefinition } from '@shop/core/errors';
import type { Client } from '../audit/client';
import { findExhausted, forgetExpiredQuotas, giveBackToQuota, type Quota, takeFromQuotas } from '../quotas/quota';
import { tooManyCodes } from '../second-factor/second-factor.errors';
import type { AuthContext } from '../service';
import { tooManyAttempts } from './guessing.errors';

const FAILURES = 10;
const WRONG_CODES = 5;
const WINDOW_MS = 15 * 60_000;

/** One try of a password or a code, which counts as a failure until it succeeds. */
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

/** Not by client: a thief who knows the password may have a client that is known. */
const codeQuotaOf = (userId: number): Quota => ({
  subject: `factor:${userId}`,
  limit: WRONG_CODES,
  windowMs: WINDOW_MS,
});

/**
 * Counts a try before its password is checked, so that concurrent tries cannot exceed the limit. Clients that have logged in to
 * the account before are not counted, so strangers cannot lock the owner out.
 *
 * @throws AppError `too_many_attempts`, for known and unknown email addresses alike
 */
export async function countAttempt(ctx: AuthContext, email: string): Promise<Attempt> {
  return await count(ctx, quotaOf(email), tooManyAttempts);
}

/** Counts a code of a second factor, from any client. @throws AppError `too_many_codes` */
export async function countCodeAttempt(ctx: AuthContext, userId: number): Promise<Attempt> {
  return await count(ctx, codeQuotaOf(userId), tooManyCodes);
}

async function count(ctx: AuthContext, quota: Quota, refusal: ErrorDefinition): Promise<Attempt> {
  const refuse = (until: number) => refusal({ retryAfterSeconds: Math.max(1, Math.ceil((until - Date.now()) / 1000)) });
  const until = await findExhausted(ctx.db, [quota]);
  if (until !== undefined) throw refuse(until);
  const taken = await ctx.db.transaction(async function countLocked(sql) {
    return await takeFromQuotas(sql, [quota]);
  });
  await forgetExpiredQuotas(ctx);
  if ('exhaustedUntil' in taken) throw refuse(taken.exhaustedUntil);
  return { quota, ...taken };
}

/** For a try with a wrong password. @param userId undefined for an unknown email address */
export async function recordFailure(
  { audit }: AuthContext,
  attempt: Attempt | undefined,
  userId: number | undefined,
  client: Client,
): Promise<void> {
  if (attempt?.isLast) await audit.recordLoginFailures(userId, WINDOW_MS, client);
}

/** For a try that did not fail because of its password or code. Must run in a database transaction. */
export async function uncountAttempt(sql: Sql, { quota, takenAt }: Attempt): Promise<void> {
  await giveBackToQuota(sql, quota, takenAt);
}
