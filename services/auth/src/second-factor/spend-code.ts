import type { Sql } from '@shop/core/db';
import { countCodeAttempt, uncountAttempt } from '../guessing/attempts';
import type { AuthContext } from '../service';
import { hashRecoveryCode } from './recovery-codes';
import { openSecret } from './sealed-secret';
import { invalidCode, secondFactorRequired } from './second-factor.errors';
import { type Factor, findConfirmedFactor, spendRecoveryCode, spendStep } from './second-factors.sql';
import { findStep } from './totp';

const APP_CODE = /^\d{6}$/;

/**
 * For a login whose password or Google token is right.
 * @returns whether the account has a second factor
 * @throws AppError `second_factor_required`, `invalid_code`, `too_many_codes`
 */
export async function assertSecondFactor(ctx: AuthContext, userId: number, code: string | undefined): Promise<boolean> {
  const factor = await findConfirmedFactor(ctx.db, userId);
  if (!factor) return false;
  if (code === undefined) throw secondFactorRequired();
  if (!(await spendCode(ctx, factor, code))) throw invalidCode();
  return true;
}

/**
 * Each code works once, also if it is sent twice at the same time.
 * @returns whether it is right
 * @throws AppError `too_many_codes`
 */
export async function spendCode(ctx: AuthContext, factor: Factor, given: string): Promise<boolean> {
  const code = given.replaceAll(' ', '');
  if (!APP_CODE.test(code)) {
    const hash = hashRecoveryCode(code);
    return await countWrongCodes(ctx, factor.userId, async function spendRecovery(sql) {
      return await spendRecoveryCode(sql, factor.userId, hash);
    });
  }
  const { secret, sealed } = openSecret(ctx, factor);
  const step = findStep(secret, code);
  return await countWrongCodes(ctx, factor.userId, async function spendAppCode(sql) {
    return step !== undefined && (await spendStep(sql, factor, { step, sealed }));
  });
}

/**
 * Counts the code before it is tried, so that concurrent tries cannot exceed the limit.
 * @param spend runs in a database transaction; returns whether the code is right
 */
async function countWrongCodes(
  ctx: AuthContext,
  userId: number,
  spend: (sql: Sql) => Promise<boolean>,
): Promise<boolean> {
  const attempt = await countCodeAttempt(ctx, userId);
  return await ctx.db.transaction(async function spendOrCount(sql) {
    if (!(await spend(sql))) return false;
    await uncountAttempt(sql, attempt);
    return true;
  });
}
