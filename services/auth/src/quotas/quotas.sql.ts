import { type Sql, statement, text } from '@shop/core/db';

/*
 * Table mail_quotas: when the recent events of a subject happened, in milliseconds since the epoch. It is named after the first
 * of these events.
 */

const quotaColumns = { sentAt: text };

const parseTimes = (sentAt = ''): number[] => (sentAt === '' ? [] : sentAt.split(',').map(Number));

const FIND_TIMES = statement(
  'quota.find',
  quotaColumns,
  'SELECT sent_at AS sentAt FROM mail_quotas WHERE subject = :subject',
);

export async function listTimes(sql: Sql, subject: string): Promise<number[]> {
  return parseTimes((await sql.row(FIND_TIMES, { subject }))?.sentAt);
}

const ENSURE_QUOTA = statement(
  'quota.lock',
  `INSERT INTO mail_quotas (subject, sent_at, expires_at) VALUES (:subject, '', :expiresAt)
   ON DUPLICATE KEY UPDATE expires_at = VALUES(expires_at)`,
);

const LOCK_QUOTA = statement(
  'quota.lock',
  quotaColumns,
  'SELECT sent_at AS sentAt FROM mail_quotas WHERE subject = :subject FOR UPDATE',
);

/** Inserts the row if it is missing and locks it by key until the end of the database transaction. */
export async function lockTimes(sql: Sql, subject: string, expiresAt: Date): Promise<number[]> {
  await sql.write(ENSURE_QUOTA, { subject, expiresAt });
  return parseTimes((await sql.row(LOCK_QUOTA, { subject }))?.sentAt);
}

const UPDATE_TIMES = statement(
  'quota.updateTimes',
  'UPDATE mail_quotas SET sent_at = :sentAt WHERE subject = :subject',
);

export async function updateTimes(sql: Sql, subject: string, times: number[]): Promise<void> {
  await sql.write(UPDATE_TIMES, { subject, sentAt: times.join(',') });
}

const LIST_EXPIRED = statement(
  'quota.deleteExpired',
  { subject: text },
  'SELECT subject FROM mail_quotas WHERE expires_at < :now ORDER BY expires_at LIMIT :limit',
);

const DELETE_EXPIRED = statement(
  'quota.deleteExpired',
  'DELETE FROM mail_quotas WHERE subject IN (:subjects) AND expires_at < :now',
);

export async function deleteExpiredQuotas(sql: Sql, now: Date, limit: number): Promise<void> {
  const subjects = (await sql.rows(LIST_EXPIRED, { now, limit })).map(({ subject }) => subject).sort();
  if (subjects.length > 0) await sql.write(DELETE_EXPIRED, { subjects, now });
}
