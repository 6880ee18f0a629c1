import type { Caller } from '@shop/core/auth';
import { lockInIdOrder } from '@shop/core/db';
import { Secret } from 'otpauth';
import { getOwnUser } from '../accounts/get-own-user';
import type { Client } from '../audit/client';
import { assertPassword } from '../passwords/assert-password';
import type { AuthContext } from '../service';
import { hashToken } from '../sessions/opaque-token';
import { noFactor } from './second-factor.errors';
import { findConfirmedFactor, replaceRecoveryCodes } from './second-factors.sql';

const CODES = 10;
/** 80 bits, so a plain hash of a code cannot be reversed. 16 characters of base32, which has no 0, 1 or 8. */
const CODE_BYTES = 10;

const newCode = (): string => new Secret({ size: CODE_BYTES }).base32.replaceAll(/(.{4})(?=.)/g, '$1-');

/** Upper and lower case, spaces and hyphens make no difference. */
export const hashRecoveryCode = (code: string): string => hashToken(code.replaceAll(/[\s-]/g, '').toUpperCase());

/** New recovery codes, and their hashes for the database. */
export function newRecoveryCodes(): { codes: string[]; hashes: string[] } {
  const codes = Array.from({ length: CODES }, newCode);
  return { codes, hashes: codes.map(hashRecoveryCode) };
}

/** The old codes end. */
export async function renewRecoveryCodes(
  ctx: AuthContext,
  caller: Caller,
  currentPassword: string,
  client: Client,
): Promise<string[]> {
  const { email } = await getOwnUser(ctx, caller);
  await assertPassword(ctx, email, currentPassword, client);
  const { codes, hashes } = newRecoveryCodes();
  await ctx.audit.transaction(client, async function replaceLocked(sql, record) {
    await lockInIdOrder(sql, 'users', [caller.id]);
    if (!(await findConfirmedFactor(sql, caller.id))) throw noFactor();
    await replaceRecoveryCodes(sql, caller.id, hashes);
    await record('recovery_codes_renewed', caller.id);
  });
  return codes;
}
