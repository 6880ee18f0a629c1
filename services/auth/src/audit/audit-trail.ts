import type { Database, Sql } from '@shop/core/db';
import type { Logger } from '@shop/core/log';
import type { Metrics } from '@shop/core/metrics';
import { deletionJob, type Job } from '@shop/core/service';
import { type AuditEvent, auditEvents } from './audit.schemas';
import { type AuditRecord, deleteOldEvents, insertEvent, insertLoginFailures } from './audit.sql';
import type { Client } from './client';

const BATCH = 1000;
const DAY_MS = 86_400_000;
/** They may be the work of an attacker. */
const suspicious: ReadonlySet<AuditEvent> = new Set(['login_failures', 'refresh_token_reused']);

/**
 * Records that something happened to an account.
 * @param by who did it, if not the user: null if that is unknown
 */
export type RecordEvent = (
  event: AuditEvent,
  userId: number,
  by?: { actorId?: number | null; detail?: string },
) => Promise<void>;

/** What happened to accounts: a row, a log line and a count of each event. */
export interface AuditTrail {
  /**
   * Runs `work` in one database transaction, as `Database.transaction` does. Its events are written in it, and logged and
   * counted once it has committed.
   */
  transaction<T>(client: Client, work: (sql: Sql, record: RecordEvent) => Promise<T>): Promise<T>;
  /**
   * Records that a limit of failed logins is reached. The table gets one row per account and window, and none for an unknown
   * email address, so that guessing cannot fill it.
   */
  recordLoginFailures(userId: number | undefined, windowMs: number, client: Client): Promise<void>;
  /** Deletes old events. */
  job: Job;
}

interface AuditDeps {
  db: Database;
  logger: Logger;
  metrics: Metrics;
}

export function createAuditTrail({ db, logger, metrics }: AuditDeps, retentionDays: number): AuditTrail {
  const counter = metrics.counter(
    {
      name: 'audit_events_total',
      help: 'Events of the audit trail, and login_failures of unknown email addresses, which are not in it',
      labelNames: ['event'],
    },
    auditEvents.map((event) => ({ event })),
  );

  function report({ event, userId, actorId, detail }: Partial<AuditRecord> & { event: AuditEvent }, client: Client) {
    counter.inc({ event });
    logger[suspicious.has(event) ? 'warn' : 'info'](
      {
        audit_event: event,
        ...(userId === undefined ? {} : { user_id: userId }),
        ...(actorId ? { actor_id: actorId } : {}),
        ...(detail ? { detail } : {}),
        client_ip: client.ip,
        request_id: client.requestId,
      },
      'audit event',
    );
  }

  return {
    async transaction(client, work) {
      let events: AuditRecord[] = [];
      const result = await db.transaction(async function audited(sql) {
        // Another attempt, after a deadlock for example, starts without the events of the one before.
        events = [];
        return await work(sql, async function recordEvent(event, userId, { actorId = userId, detail = null } = {}) {
          const record = { event, userId, actorId, detail };
          await insertEvent(sql, record, client);
          events.push(record);
        });
      });
      for (const event of events) report(event, client);
      return result;
    },
    async recordLoginFailures(userId, windowMs, client) {
      await insertLoginFailures(db, userId ?? null, new Date(Date.now() - windowMs), client);
      report({ event: 'login_failures', ...(userId === undefined ? {} : { userId }) }, client);
    },
    job: deletionJob('delete_old_audit_events', 3600, BATCH, async function deleteBatch(limit) {
      return await deleteOldEvents(db, new Date(Date.now() - retentionDays * DAY_MS), limit);
    }),
  };
}
