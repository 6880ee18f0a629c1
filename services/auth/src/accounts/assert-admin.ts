import type { Caller } from '@shop/core/auth';
import { forbidden, unauthenticated } from '@shop/core/errors';
import type { AuthContext } from '../service';
import { findCaller } from './accounts.sql';

/** Reads the caller's role from the database: an access token may be older than a demotion. */
export async function assertAdmin({ db }: AuthContext, { id }: Caller): Promise<void> {
  const caller = await findCaller(db, id);
  if (!caller) throw unauthenticated();
  if (caller.role !== 'admin') throw forbidden();
}
