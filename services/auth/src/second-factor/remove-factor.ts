import type { Caller } from '@shop/core/auth';
import { lockInIdOrder } from '@shop/core/db';
import { getOwnUser } from '../accounts/get-own-user';
import type { Client } from '../audit/client';
import { assertPassword } from '../passwords/assert-password';
import type { AuthContext } from '../service';
import { revokeOtherRoles } from '../sessions/revocations.sql';
import { updateSessionsWithoutFactor } from '../sessions/sessions.sql';
import { noFactor, wrongCode } from './second-factor.errors';
import type { FactorRemoval } from './second-factor.schemas';
import { deleteFactor, findConfirmedFactor } from './second-factors.sql';
import { spendCode } from './spend-code';

export async function removeFactor(
  ctx: AuthContext,
  caller: Caller,
  { current_password, code }: FactorRemoval,
  client: Client,
): Promise<void> {
  const { email } = await getOwnUser(ctx, caller);
  await assertPassword(ctx, email, current_password, client);
  const factor = await findConfirmedFactor(ctx.db, caller.id);
  if (!factor) throw noFactor();
  if (!(await spendCode(ctx, factor, code))) throw wrongCode();
  await ctx.audit.transaction(client, async function deleteLocked(sql, record) {
    await lockInIdOrder(sql, 'users', [caller.id]);
    await deleteFactor(sql, caller.id);
    await updateSessionsWithoutFactor(sql, caller.id);
    await record('factor_disabled', caller.id);
    // The access tokens of an admin end. The next ones have the role `user`.
    if (ctx.adminsNeedFactor) await revokeOtherRoles(sql, caller.id, 'user', ctx.tokenIssuer.revocationTimes());
  });
}
