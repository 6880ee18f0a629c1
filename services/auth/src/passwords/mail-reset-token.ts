import type { Sql } from '@shop/core/db';
import { clientNetwork } from '@shop/core/rate-limit';
import { findExhausted, forgetExpiredQuotas, type Quota, takeFromQuotas } from '../quotas/quota';
import type { AuthContext } from '../service';
import type { ResetMailer } from './reset-mailer';

const MAILS_PER_ACCOUNT = 3;
const MAILS_PER_CLIENT = 20;
const WINDOW_MS = 3_600_000;

interface Recipient {
  userId: number;
  email: string;
  /** Of the client that requested the mail. */
  clientIp: string;
}

/** Runs in the database transaction that counts the mail: over a limit no token is added, older ones stay valid. */
type AddToken = (sql: Sql) => Promise<string>;

/** Mails a reset token in the background. Failures are only logged. Does nothing without a mail server. */
export function mailResetToken(ctx: AuthContext, recipient: Recipient, addToken: AddToken): void {
  const { resetMailer, logger } = ctx;
  if (!resetMailer) return;
  setImmediate(async function mailInBackground() {
    try {
      await countAndSend(ctx, resetMailer, recipient, addToken);
    } catch (error) {
      resetMailer.countMail('failed');
      logger.error(
        { err: error, user_id: recipient.userId },
        'could not send a reset mail, not retrying: the user has to request another one',
      );
    }
  });
}

async function countAndSend(
  ctx: AuthContext,
  mailer: ResetMailer,
  { userId, email, clientIp }: Recipient,
  addToken: AddToken,
): Promise<void> {
  const client = clientNetwork(clientIp);
  const quotas = [
    { subject: `reset:user:${userId}`, limit: MAILS_PER_ACCOUNT, windowMs: WINDOW_MS },
    { subject: `reset:client:${client}`, limit: MAILS_PER_CLIENT, windowMs: WINDOW_MS },
  ];
  const token = await mailer.countQueue.run(async () => await addCountedToken(ctx, quotas, addToken), client);
  if (token === undefined) {
    mailer.countMail('limited');
    ctx.logger.info({ user_id: userId }, 'reset mail not sent: the account or the client is over its hourly limit');
    return;
  }
  await mailer.sendQueue.run(async () => await mailer.send(email, token), client);
  mailer.countMail('sent');
}

/** @returns undefined if a quota is exhausted */
async function addCountedToken(ctx: AuthContext, quotas: Quota[], addToken: AddToken): Promise<string | undefined> {
  if ((await findExhausted(ctx.db, quotas)) !== undefined) return undefined;
  const token = await ctx.db.transaction(async function countAndAdd(sql) {
    return 'takenAt' in (await takeFromQuotas(sql, quotas)) ? await addToken(sql) : undefined;
  });
  await forgetExpiredQuotas(ctx);
  return token;
}
