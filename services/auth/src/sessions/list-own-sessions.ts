import type { Caller } from '@shop/core/auth';
import type { List } from '@shop/core/db';
import type { AuthContext } from '../service';
import type { PageQuery, Session } from './sessions.schemas';
import { adoptSessions, listSessions } from './sessions.sql';

export async function listOwnSessions({ db }: AuthContext, caller: Caller, page: PageQuery): Promise<List<Session>> {
  await adoptSessions(db, caller.id);
  const { rows, total } = await listSessions(db, caller.id, page);
  return { rows: rows.map(({ familyId, ...row }) => ({ ...row, current: familyId === caller.sessionId })), total };
}
