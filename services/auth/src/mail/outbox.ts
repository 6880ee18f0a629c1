import type { Database, Sql } from '@shop/core/db';
import type { Logger } from '@shop/core/log';
import type { Metrics } from '@shop/core/metrics';
import type { Job } from '@shop/core/service';
import { findExhausted, forgetExpiredQuotas, type Quota, takeFromQuotas } from '../quotas/quota';
import type { Mailer } from './mailer';
import {
  claimMail,
  countMails,
  deleteMail,
  insertMail,
  listDueMails,
  mailKinds,
  type NewMail,
  postponeMail,
  type QueuedMail,
} from './mails.sql';
import type { TokenMaker } from './token-makers';

const outcomes = ['sent', 'limited', 'dropped', 'retried', 'failed'] as const;

/** Longer than one attempt can take. After a crash, the mail is sent once this has passed. */
const LEASE_MS = 60_000;
const WORKERS = 2;
const CANDIDATES = 10;
const POLL_SECONDS = 2;
const FIRST_RETRY_MS = 5000;
const LONGEST_RETRY_MS = 600_000;
const GIVE_UP_MS = 24 * 3_600_000;

/**
 * Mails that were accepted and are not sent yet. They are rows of a table, written in the database transaction of what they
 * tell about, so that none is lost when a process or the mail server dies. A crash between sending a mail and deleting its row
 * sends it again.
 */
export interface Outbox {
  /**
   * Adds the mail, unless a quota is exhausted. Must run in a database transaction, as its last step: it locks the quotas.
   * @returns false if it was not added
   */
  add(sql: Sql, mail: NewMail, quotas: readonly Quota[]): Promise<boolean>;
  /** Sends what is due, in the background. Call it after the commit. */
  wake(): void;
  job: Job;
}

interface OutboxDeps {
  db: Database;
  logger: Logger;
  metrics: Metrics;
}

/** @param tokenFor returns undefined if the mail has no recipient any more */
export function createOutbox(deps: OutboxDeps, mailer: Mailer, tokenFor: TokenMaker): Outbox {
  const { db, logger, metrics } = deps;
  const mails = metrics.counter(
    {
      name: 'mails_total',
      help:
        'Mails by kind and outcome: sent, limited (over an hourly limit), dropped (no such account), retried (a failed attempt), ' +
        'failed (given up)',
      labelNames: ['kind', 'outcome'],
    },
    mailKinds.flatMap((kind) => outcomes.map((outcome) => ({ kind, outcome }))),
  );
  let waiting = Number.NaN;
  metrics.gauge('mails_waiting', 'Mails that are not sent yet', () => waiting);
  let running: Promise<void> | undefined;

  async function send(mail: QueuedMail): Promise<(typeof outcomes)[number]> {
    const token = mail.token ?? (await db.transaction(async (sql) => await tokenFor(sql, mail)));
    if (token === undefined) return 'dropped';
    await mailer.send(mail.kind, mail.recipient, token ?? undefined);
    return 'sent';
  }

  async function attempt(mail: QueuedMail): Promise<void> {
    const about = { mail_id: mail.id, kind: mail.kind, ...(mail.userId === null ? {} : { user_id: mail.userId }) };
    try {
      mails.inc({ kind: mail.kind, outcome: await send(mail) });
    } catch (error) {
      if (!isPermanent(error) && Date.now() - mail.createdAt.getTime() < GIVE_UP_MS) {
        const pause = Math.min(FIRST_RETRY_MS * 2 ** mail.attempts, LONGEST_RETRY_MS);
        mails.inc({ kind: mail.kind, outcome: 'retried' });
        logger.warn({ err: error, ...about }, `could not send a mail, trying again in ${pause / 1000} s`);
        await postponeMail(db, mail.id, new Date(Date.now() + pause));
        return;
      }
      mails.inc({ kind: mail.kind, outcome: 'failed' });
      logger.error({ err: error, ...about }, 'could not send a mail, giving up');
    }
    await deleteMail(db, mail.id);
  }

  async function claimNext(): Promise<QueuedMail | undefined> {
    for (;;) {
      const due = await listDueMails(db, new Date(), CANDIDATES);
      if (due.length === 0) return undefined;
      for (const mail of due) {
        if (await claimMail(db, mail, new Date(Date.now() + LEASE_MS))) return mail;
      }
    }
  }

  async function sendDue(): Promise<void> {
    for (let mail = await claimNext(); mail; mail = await claimNext()) await attempt(mail);
  }

  async function sendAll(): Promise<void> {
    running ??= Promise.all(Array.from({ length: WORKERS }, sendDue)).then(() => undefined);
    try {
      await running;
    } finally {
      running = undefined;
    }
  }

  return {
    async add(sql, mail, quotas) {
      if ((await findExhausted(sql, quotas)) !== undefined || !('takenAt' in (await takeFromQuotas(sql, quotas)))) {
        mails.inc({ kind: mail.kind, outcome: 'limited' });
        logger.info({ kind: mail.kind }, 'mail not sent: the account or the client is over its hourly limit');
        return false;
      }
      await insertMail(sql, mail);
      return true;
    },
    wake() {
      sendAll().catch((error: unknown) => logger.warn({ err: error }, 'could not read the outbox, the next run will'));
    },
    job: {
      name: 'send_mails',
      everySeconds: POLL_SECONDS,
      async run() {
        await sendAll();
        waiting = await countMails(db);
        await forgetExpiredQuotas({ db, logger });
      },
    },
  };
}

/** The mail server will refuse the mail again (RFC 5321, 4.2.1: 5yz). */
const isPermanent = (error: unknown): boolean =>
  error instanceof Error && 'responseCode' in error && Number(error.responseCode) >= 500;
