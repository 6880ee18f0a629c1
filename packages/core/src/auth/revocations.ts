import { type Database, dateTime, int, nullable, type RowOf, statement, text, textOf } from '../db';
import { databaseUnavailable } from '../errors';
import type { Metrics } from '../metrics';
import { roles, type VerifiedToken } from './access-token';

/** The table that `revocationsIn` reads. */
export const REVOCATIONS_TABLE = 'revocations';

/** How old the known revocations may be before they are read again. */
const REFRESH_INTERVAL_MS = 1000;
/** With older ones, no token is accepted. A revoked token is refused within 5 s, so there is a second left for the request. */
const MAX_AGE_MS = 4000;
/**
 * Ids become visible out of order: a row counts as read this long after its successors. No database transaction is open for
 * longer, because the servers close idle connections earlier (db/connection-pool.ts).
 */
const LATE_COMMIT_MS = 60_000;
/** A login that reads the old role just before a change may issue its token this long after it. */
const LATE_LOGIN_MS = 60_000;
const PAGE_ROWS = 5000;
const FORGET_INTERVAL_MS = 60_000;

const revocationColumns = {
  id: int,
  userId: int,
  sessionId: nullable(text),
  role: nullable(textOf(roles)),
  revokedAt: dateTime,
  expiresAt: dateTime,
};

/** Ends all access tokens of a session, those with another role than `role`, or, if both are null, those without a session. */
export type Revocation = RowOf<typeof revocationColumns>;

/** Storage for revocations. */
export interface RevocationStore {
  /** Returns at most `limit` rows, in the order of their ids. */
  read(fromId: number, limit: number): Promise<Revocation[]>;
}

const LIST_REVOCATIONS = statement(
  'revocation.list',
  revocationColumns,
  `SELECT id, user_id AS userId, session_id AS sessionId, role, revoked_at AS revokedAt, expires_at AS expiresAt
   FROM ${REVOCATIONS_TABLE} WHERE id >= :fromId ORDER BY id LIMIT :limit`,
);

export const revocationsIn = (db: Pick<Database, 'rows'>): RevocationStore => ({
  read: (fromId, limit) => db.rows(LIST_REVOCATIONS, { fromId, limit }),
});

/**
 * The access tokens that were ended before their expiry. Each process keeps them in memory and reads new ones from MySQL every
 * second, so that a check costs no round trip and does not depend on Redis. See docs/decisions/0038-revocation.md.
 */
export interface Revocations {
  /**
   * A promise only if the revocations of the last seconds must be read first: to await costs every request a bit.
   * @throws AppError if they cannot be read: the token may have been revoked
   */
  isRevoked(token: VerifiedToken): boolean | Promise<boolean>;
  /** Resolves once the revocations of the last seconds are known. @throws AppError the database error */
  current(): Promise<void>;
  /** Reads new revocations, at most once at the same time. @throws AppError the database error */
  refresh(): Promise<void>;
}

/** The newest row of a read. */
interface Mark {
  /** When the read began (performance.now()). */
  at: number;
  row: Revocation;
}

export function createRevocations(store: RevocationStore, { metrics }: { metrics: Metrics }): Revocations {
  /** When each entry may be forgotten (ms since the epoch), by session. */
  const sessions = new Map<string, number>();
  /** By user: the newest change of the role. */
  const roleChanges = new Map<number, Revocation>();
  /** By user: ends the tokens without a session. */
  const users = new Map<number, Revocation>();
  /** Oldest first. */
  let marks: Mark[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let forgottenAt = performance.now();
  let running: Promise<void> | undefined;

  const startedAt = performance.now();
  metrics.gauge(
    'revocations_age_seconds',
    'Age of the known revocations of access tokens. Above 4, requests with a token are refused with 503',
    () => (performance.now() - Math.max(readAt, startedAt)) / 1000,
  );
  metrics.gauge(
    'revocations_known',
    'Sessions and users with access tokens that were revoked before their expiry',
    () => sessions.size + roleChanges.size + users.size,
  );

  function add(row: Revocation): void {
    if (row.sessionId !== null) {
      sessions.set(row.sessionId, row.expiresAt.getTime());
      return;
    }
    const newest = row.role === null ? users : roleChanges;
    if (row.id >= (newest.get(row.userId)?.id ?? 0)) newest.set(row.userId, row);
  }

  function forgetExpired(): void {
    const now = Date.now();
    for (const [sessionId, expiresAt] of sessions) if (expiresAt < now) sessions.delete(sessionId);
    for (const map of [roleChanges, users]) {
      for (const [userId, { expiresAt }] of map) if (expiresAt.getTime() < now) map.delete(userId);
    }
  }

  async function rowsFrom(id: number): Promise<Revocation[]> {
    const rows: Revocation[] = [];
    for (let fromId = id; ; fromId = (rows.at(-1)?.id ?? 0) + 1) {
      const page = await store.read(fromId, PAGE_ROWS);
      rows.push(...page);
      if (page.length < PAGE_ROWS) return rows;
    }
  }

  async function read(): Promise<void> {
    const at = performance.now();
    const anchor = marks.findLast((mark) => at - mark.at >= LATE_COMMIT_MS);
    let rows = await rowsFrom(anchor?.row.id ?? 0);
    if (anchor && !isSame(rows[0], anchor.row)) {
      // The row has expired, or the database is a replica or a backup that lacks it, and gives its id again.
      marks = [];
      rows = await rowsFrom(0);
    }
    for (const row of rows) add(row);
    const row = rows.at(-1);
    if (row) marks = [...marks.filter((mark) => mark.at >= (anchor?.at ?? 0)), { at, row }];
    readAt = at;
    if (at - forgottenAt < FORGET_INTERVAL_MS) return;
    forgottenAt = at;
    forgetExpired();
  }

  function refresh(): Promise<void> {
    running ??= read().finally(() => {
      running = undefined;
    });
    return running;
  }

  const isOlderThan = (ms: number): boolean => performance.now() - readAt > ms;

  async function current(): Promise<void> {
    if (!isOlderThan(REFRESH_INTERVAL_MS)) return;
    const refreshed = refresh();
    if (isOlderThan(MAX_AGE_MS)) await refreshed;
    else refreshed.catch(() => undefined);
    if (isOlderThan(MAX_AGE_MS)) throw databaseUnavailable();
  }

  function isKnownRevoked({ caller: { id, role, sessionId }, issuedAt }: VerifiedToken): boolean {
    const isBefore = (row: Revocation | undefined, lateMs = 0) =>
      row !== undefined && issuedAt * 1000 <= row.revokedAt.getTime() + lateMs;
    const change = roleChanges.get(id);
    if (change?.role !== role && isBefore(change, LATE_LOGIN_MS)) return true;
    // A token names only the second in which it was issued. One of the same second counts as issued before.
    return sessionId === undefined ? isBefore(users.get(id)) : sessions.has(sessionId);
  }

  async function isRevoked(token: VerifiedToken): Promise<boolean> {
    await current();
    return isKnownRevoked(token);
  }

  return {
    current,
    refresh,
    isRevoked: (token) => (isOlderThan(REFRESH_INTERVAL_MS) ? isRevoked(token) : isKnownRevoked(token)),
  };
}

const isSame = (row: Revocation | undefined, { id, userId, revokedAt }: Revocation): boolean =>
  row?.id === id && row.userId === userId && row.revokedAt.getTime() === revokedAt.getTime();
