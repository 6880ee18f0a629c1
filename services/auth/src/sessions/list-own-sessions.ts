import type { Caller } from '@shop/core/auth';
import type { List, Page } from '@shop/core/db';
import type { AuthContext } from '../service';
import type { Session } from './sessions.schemas';
import { adoptSessions, listSessions } from './sessions.sql';

export async function listOwnSessions({ db }: AuthContext, caller: Caller, page: Page): Promise<List<Session>> {
  await adoptSessions(db, caller.id);
  const list = await listSessions(db, caller.id, page);
  const rows = list.rows.map(({ familyId, ...row }) => ({ ...row, current: familyId === caller.sessionId }));
  return { ...list, rows };
}
