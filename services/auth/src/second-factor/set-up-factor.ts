import type { Caller } from '@shop/core/auth';
import { lockInIdOrder } from '@shop/core/db';
import { getOwnUser } from '../accounts/get-own-user';
import type { Client } from '../audit/client';
import { countCodeAttempt, uncountAttempt } from '../guessing/attempts';
import { assertPassword } from '../passwords/assert-password';
import type { AuthContext } from '../service';
import { newRecoveryCodes } from './recovery-codes';
import { openSecret, sealSecret } from './sealed-secret';
import { factorEnabled, noFactor, wrongCode } from './second-factor.errors';
import {
  confirmFactorRow,
  findConfirmedFactor,
  findFactor,
  insertFactor,
  replaceRecoveryCodes,
} from './second-factors.sql';
import { findStep, newSecret, otpauthUri } from './totp';

/** The factor is not needed at a login until it is confirmed, which proves that the user's app knows the secret. */
export async function setUpFactor(
  ctx: AuthContext,
  caller: Caller,
  currentPassword: string,
  client: Client,
): Promise<{ secret: string; otpauth_uri: string }> {
  const secret = newSecret();
  const sealed = sealSecret(ctx, caller.id, secret);
  const { email } = await getOwnUser(ctx, caller);
  await assertPassword(ctx, email, currentPassword, client);
  await ctx.db.transaction(async function insertLocked(sql) {
    await lockInIdOrder(sql, 'users', [caller.id]);
    if (await findConfirmedFactor(sql, caller.id)) throw factorEnabled();
    await insertFactor(sql, caller.id, sealed);
  });
  return { secret, otpauth_uri: otpauthUri(secret, ctx.shopName, email) };
}

/** @returns the recovery codes */
export async function confirmFactor(ctx: AuthContext, caller: Caller, code: string, client: Client): Promise<string[]> {
  const factor = await findFactor(ctx.db, caller.id);
  if (!factor) throw noFactor();
  if (factor.confirmedAt) throw factorEnabled();
  const step = findStep(openSecret(ctx, factor).secret, code);
  const { codes, hashes } = newRecoveryCodes();
  const attempt = await countCodeAttempt(ctx, caller.id);
  const isRight = await ctx.audit.transaction(client, async function confirmLocked(sql, record) {
    if (step === undefined) return false;
    await lockInIdOrder(sql, 'users', [caller.id]);
    if (!(await confirmFactorRow(sql, factor, step))) return false;
    await replaceRecoveryCodes(sql, caller.id, hashes);
    await record('factor_enabled', caller.id);
    await uncountAttempt(sql, attempt);
    return true;
  });
  if (!isRight) throw wrongCode();
  return codes;
}
