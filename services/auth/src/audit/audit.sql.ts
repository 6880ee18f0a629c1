import { int, type List, nullable, type Sql, selectList, statement, text, timestamp, when } from '@shop/core/db';
import type { AuditEntry, AuditEvent, AuditQuery } from './audit.schemas';
import { type Client, clientColumns } from './client';

/*
 * Table audit_events: what happened to accounts. Rows are inserted and deleted, and change only when an account is deleted.
 * Reads table users to find out whether the account of failed logins exists.
 */

export interface AuditRecord {
  event: AuditEvent;
  userId: number;
  /** null: unknown. */
  actorId: number | null;
  detail: string | null;
}

const INSERT_EVENT = statement(
  'audit.insert',
  `INSERT INTO audit_events (event, user_id, actor_id, detail, ip, user_agent, request_id)
   VALUES (:event, :userId, :actorId, :detail, :ip, :userAgent, :requestId)`,
);

export async function insertEvent(sql: Sql, record: AuditRecord, client: Client): Promise<void> {
  await sql.write(INSERT_EVENT, { ...record, ...clientColumns(client), requestId: client.requestId });
}

const INSERT_LOGIN_FAILURES = statement(
  'audit.insertLoginFailures',
  `INSERT INTO audit_events (event, user_id, ip, user_agent, request_id)
   SELECT :event, id, :ip, :userAgent, :requestId FROM users
   WHERE id = :userId AND NOT EXISTS (
     SELECT 1 FROM audit_events AS earlier
     WHERE earlier.user_id = :userId AND earlier.event = :event AND earlier.created_at > :since
   )`,
);

/**
 * Inserts nothing if the account does not exist, or has such an event since then.
 * @param userId null for an unknown email address, which so takes the same time
 */
export async function insertLoginFailures(sql: Sql, userId: number | null, since: Date, client: Client): Promise<void> {
  const event: AuditEvent = 'login_failures';
  const { requestId } = client;
  await sql.write(INSERT_LOGIN_FAILURES, { event, userId, since, ...clientColumns(client), requestId });
}

const auditColumns = {
  id: int,
  created_at: timestamp,
  event: text,
  user_id: int,
  actor_id: nullable(int),
  detail: nullable(text),
  ip: nullable(text),
  user_agent: nullable(text),
  request_id: text,
};

export async function listEvents(sql: Sql, query: AuditQuery): Promise<List<AuditEntry>> {
  const ofUser = when('user_id = :user_id', { user_id: query.user_id });
  const ofEvent = when('event = :event', { event: query.event });
  const source = {
    name: 'audit.list',
    columns: auditColumns,
    select: `audit_events.id, audit_events.created_at, event, user_id, actor_id, detail, ip, user_agent, request_id`,
    table: 'audit_events',
    where: [ofUser, ofEvent],
    index: ofUser ? 'audit_events_user' : ofEvent ? 'audit_events_event' : 'audit_events_newest',
    indexed: ofUser ?? ofEvent,
    tableIndex: 'audit_events_newest',
  };
  return await selectList(sql, source, query);
}

const LIST_OLD = statement(
  'audit.deleteOld',
  { id: int },
  'SELECT id FROM audit_events WHERE created_at < :before ORDER BY created_at LIMIT :limit',
);
const DELETE_EVENTS = statement('audit.deleteOld', 'DELETE FROM audit_events WHERE id IN (:ids)');

/** @returns how many were found */
export async function deleteOldEvents(sql: Sql, before: Date, limit: number): Promise<number> {
  const ids = (await sql.rows(LIST_OLD, { before, limit })).map(({ id }) => id).sort((a, b) => a - b);
  if (ids.length > 0) await sql.write(DELETE_EVENTS, { ids });
  return ids.length;
}
