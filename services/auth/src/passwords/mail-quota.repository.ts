import { inList, repository, type Sql } from '@shop/core';

interface QuotaRow {
  subject: string;
  sent_at: string;
}

const parseTimes = (sentAt: string): number[] => (sentAt === '' ? [] : sentAt.split(',').map(Number));

/** Statements on mail_quotas: the times of the recent mails for a subject, in milliseconds since the epoch. */
export const mailQuotaRepository = repository('mail_quota', (sql: Sql) => ({
  async find(subject: string): Promise<number[]> {
    const [row] = await sql.rows<QuotaRow>('SELECT subject, sent_at FROM mail_quotas WHERE subject = ?', [subject]);
    return parseTimes(row?.sent_at ?? '');
  },

  /** Adds the row where it is missing, and locks it by key until the end of the transaction. */
  async lock(subject: string, expiresAt: Date): Promise<number[]> {
    await sql.write(
      `INSERT INTO mail_quotas (subject, sent_at, expires_at) VALUES (?, '', ?)
       ON DUPLICATE KEY UPDATE expires_at = VALUES(expires_at)`,
      [subject, expiresAt],
    );
    const [row] = await sql.rows<QuotaRow>('SELECT subject, sent_at FROM mail_quotas WHERE subject = ? FOR UPDATE', [
      subject,
    ]);
    return parseTimes(row?.sent_at ?? '');
  },

  async updateTimes(subject: string, times: number[]): Promise<void> {
    await sql.write('UPDATE mail_quotas SET sent_at = ? WHERE subject = ?', [times.join(','), subject]);
  },

  async deleteExpired(now: Date, limit: number): Promise<void> {
    const expired = await sql.rows<QuotaRow>(
      'SELECT subject, sent_at FROM mail_quotas WHERE expires_at < ? ORDER BY expires_at LIMIT ?',
      [now, limit],
    );
    if (expired.length === 0) return;
    const { placeholders, values } = inList(expired.map(({ subject }) => subject).sort());
    await sql.write(`DELETE FROM mail_quotas WHERE subject IN (${placeholders}) AND expires_at < ?`, [...values, now]);
  },
}));

export type MailQuotaRepository = ReturnType<typeof mailQuotaRepository>;
