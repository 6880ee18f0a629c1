import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { findCaller } from '../accounts/accounts.sql';
import type { RecordEvent } from '../audit/audit-trail';
import type { Client } from '../audit/client';
import type { AuthContext } from '../service';
import { forgetExpiredSessions } from './forget-expired-sessions';
import { hashToken } from './opaque-token';
import type { RefreshOutcome } from './refresh-counter';
import { invalidRefreshToken } from './sessions.errors';
import type { TokenSet } from './sessions.schemas';
import {
  adoptSessions,
  findFamily,
  hasOnlyUnspentSuccessors,
  insertRefreshToken,
  lockRefreshToken,
  lockSession,
  revokeSession,
  type StoredToken,
  spendRefreshToken,
  updateSessionUsed,
} from './sessions.sql';
import type { NewRefreshToken } from './token-issuer';

type Rotation =
  | { outcome: 'rotated' | 'rotated_again'; owner: Caller; successor: NewRefreshToken }
  | { outcome: Exclude<RefreshOutcome, 'rotated' | 'rotated_again'> };

/** Exchanges the token for a new token set with the user's current role. */
export async function refreshSession(ctx: AuthContext, token: string, client: Client): Promise<TokenSet> {
  const hash = hashToken(token);
  const family = await findFamily(ctx.db, hash);
  if (family?.sessionId === null) await adoptSessions(ctx.db, family.userId);
  const rotation: Rotation = family
    ? await ctx.audit.transaction(client, async function rotateLocked(sql, record) {
        return await rotateToken(sql, record, ctx, family.familyId, hash);
      })
    : { outcome: 'refused' };
  ctx.refreshCounter.inc(rotation.outcome);
  if (!('owner' in rotation)) throw invalidRefreshToken();
  await forgetExpiredSessions(ctx);
  return ctx.tokenIssuer.tokenSet(rotation.owner, rotation.successor);
}

/** Returns instead of throwing, so that a revocation is committed. */
async function rotateToken(
  sql: Sql,
  record: RecordEvent,
  ctx: AuthContext,
  familyId: string,
  hash: string,
): Promise<Rotation> {
  const session = await lockSession(sql, familyId);
  const stored = await lockRefreshToken(sql, hash);
  const now = new Date();
  if (!session || !stored || stored.revokedAt) return { outcome: 'refused' };
  if (stored.spentAt && !(await isInGrace(sql, ctx, familyId, stored, now))) {
    // Two clients have it, and one may have stolen it. End the session for both.
    await revokeSession(sql, familyId, ctx.tokenIssuer.revocationTimes());
    await record('refresh_token_reused', stored.userId, { actorId: null });
    return { outcome: 'reused' };
  }
  const endsAt = ctx.tokenIssuer.endOfSession(session.createdAt);
  if (stored.expiresAt <= now || endsAt <= now) return { outcome: 'refused' };
  const owner = await findCaller(sql, stored.userId);
  if (!owner) return { outcome: 'refused' };
  const successor = ctx.tokenIssuer.newRefreshToken({ familyId, endsAt, withFactor: session.withFactor });
  if (!stored.spentAt) await spendRefreshToken(sql, stored.id, now);
  await insertRefreshToken(sql, stored.userId, successor, stored.id);
  await updateSessionUsed(sql, session.id, now, successor.expiresAt);
  return { outcome: stored.spentAt ? 'rotated_again' : 'rotated', owner, successor };
}

/** Two tabs may refresh at the same time, and a response may be lost: the client then sends a token that is just spent. */
async function isInGrace(
  sql: Sql,
  { refreshGraceMs }: AuthContext,
  familyId: string,
  { id, spentAt }: StoredToken,
  now: Date,
): Promise<boolean> {
  if (!spentAt || now.getTime() - spentAt.getTime() >= refreshGraceMs) return false;
  return await hasOnlyUnspentSuccessors(sql, familyId, id);
}
