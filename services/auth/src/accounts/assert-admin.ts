import { type Caller, invalidAccessToken } from '@shop/core/auth';
import { forbidden } from '@shop/core/errors';
import type { AuthContext } from '../service';
import { findCaller } from './accounts.sql';

/**
 * With the role of the database: an access token may be older than a change of the role. Where admins need a second factor, a
 * token with the role `user` may be of an admin without one.
 */
export async function getCurrentCaller(
  { db, adminsNeedFactor }: Pick<AuthContext, 'db' | 'adminsNeedFactor'>,
  { id, role }: Caller,
): Promise<Caller> {
  const stored = await findCaller(db, id);
  if (!stored) throw invalidAccessToken();
  return adminsNeedFactor && role === 'user' ? { ...stored, role } : stored;
}

export async function assertAdmin(ctx: AuthContext, caller: Caller): Promise<void> {
  if ((await getCurrentCaller(ctx, caller)).role !== 'admin') throw forbidden();
}
