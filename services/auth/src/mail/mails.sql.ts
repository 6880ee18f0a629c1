import { dateTime, int, nullable, type RowOf, type Sql, statement, text, textOf } from '@shop/core/db';

/* Table mails: the outbox. A row is deleted once its mail was sent, or will never be. */

export const mailKinds = ['password_reset', 'email_verification', 'email_change'] as const;

export type MailKind = (typeof mailKinds)[number];

const mailColumns = {
  id: int,
  kind: textOf(mailKinds),
  recipient: text,
  userId: nullable(int),
  token: nullable(text),
  attempts: int,
  nextAttemptAt: dateTime,
  createdAt: dateTime,
};

export type QueuedMail = RowOf<typeof mailColumns>;

export interface NewMail {
  kind: MailKind;
  recipient: string;
  /** null: the mail goes to the account of the recipient, if there is one. */
  userId: number | null;
  /** Who asked for it, as `clientNetwork` returns it. */
  client: string;
  /** Only where the response has it too, in the local environment. Otherwise each attempt creates a token. */
  token?: string | undefined;
}

// The position is the number of mails of the same client before this one: no client waits for another one's mails.
const INSERT_MAIL = statement(
  'mail.insert',
  `INSERT INTO mails (kind, recipient, user_id, client, token, position, next_attempt_at)
   SELECT :kind, :recipient, :userId, :client, :token, COUNT(*), :now FROM mails WHERE client = :client`,
);

export async function insertMail(
  sql: Sql,
  { kind, recipient, userId, client, token = undefined }: NewMail,
): Promise<void> {
  await sql.write(INSERT_MAIL, { kind, recipient, userId, client, token: token ?? null, now: new Date() });
}

const LIST_DUE = statement(
  'mail.listDue',
  mailColumns,
  `SELECT id, kind, recipient, user_id AS userId, token, attempts, next_attempt_at AS nextAttemptAt, created_at AS createdAt
   FROM mails WHERE next_attempt_at <= :now ORDER BY position, id LIMIT :limit`,
);

export async function listDueMails(sql: Sql, now: Date, limit: number): Promise<QueuedMail[]> {
  return await sql.rows(LIST_DUE, { now, limit });
}

const CLAIM_MAIL = statement(
  'mail.claim',
  `UPDATE mails SET next_attempt_at = :until, attempts = attempts + 1
   WHERE id = :id AND attempts = :attempts`,
);

/** @returns false if another replica was faster */
export async function claimMail(sql: Sql, { id, attempts }: QueuedMail, until: Date): Promise<boolean> {
  return (await sql.write(CLAIM_MAIL, { id, attempts, until })).affectedRows === 1;
}

const POSTPONE_MAIL = statement('mail.postpone', 'UPDATE mails SET next_attempt_at = :nextAttemptAt WHERE id = :id');

export async function postponeMail(sql: Sql, id: number, nextAttemptAt: Date): Promise<void> {
  await sql.write(POSTPONE_MAIL, { id, nextAttemptAt });
}

const DELETE_MAIL = statement('mail.delete', 'DELETE FROM mails WHERE id = :id');

export async function deleteMail(sql: Sql, id: number): Promise<void> {
  await sql.write(DELETE_MAIL, { id });
}

const COUNT_MAILS = statement('mail.count', { waiting: int }, 'SELECT COUNT(*) AS waiting FROM mails');

export async function countMails(sql: Sql): Promise<number> {
  return (await sql.row(COUNT_MAILS))?.waiting ?? 0;
}
