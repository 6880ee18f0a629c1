import { clientNetwork, type Logger, type Metrics } from '@shop/core';
import type { InTransaction, Repositories } from '../repositories';
import type { BoundedWork } from './bounded-work';
import { findExhausted, type MailQuota, takeFromQuotas } from './mail-quota';
import type { MailQuotaRepository } from './mail-quota.repository';
import type { ResetMail } from './reset-mail';

const MAILS_PER_ACCOUNT = 3;
const MAILS_PER_CLIENT = 20;
const EXPIRED_ROWS_AT_ONCE = 16;

interface Recipient {
  userId: number;
  email: string;
  /** Who asked for the mail. */
  clientIp: string;
}

/** Makes the token in the transaction that counts the mail: beyond a limit there is none, and older tokens stay good. */
type MakeToken = (repositories: Repositories) => Promise<string>;

/** Mails a reset token in the background. No caller waits for it; a failure is logged. */
export type MailReset = (recipient: Recipient, makeToken: MakeToken) => void;

interface Parts {
  mailQuotas: Pick<MailQuotaRepository, 'find' | 'deleteExpired'>;
  inTransaction: InTransaction;
  /** Two queues: requests beyond a limit never stand in the one that waits for the mail server. */
  countInTurn: BoundedWork;
  sendInTurn: BoundedWork;
  sendResetMail: ResetMail;
  metrics: Metrics;
  logger: Logger;
}

export function mailReset(parts: Parts): MailReset {
  const { mailQuotas, inTransaction, countInTurn, sendInTurn, sendResetMail, metrics, logger } = parts;
  const mails = metrics.counter({
    name: 'reset_mails_total',
    help: 'Password reset mails by outcome: sent, limited (over the hourly limit of an account or client), failed',
    labelNames: ['outcome'],
  });
  for (const outcome of ['sent', 'limited', 'failed']) mails.inc({ outcome }, 0);

  /** Housekeeping, which does not fail with the mail that it comes with. */
  async function deleteExpiredQuotas(): Promise<void> {
    try {
      await mailQuotas.deleteExpired(new Date(), EXPIRED_ROWS_AT_ONCE);
    } catch (error) {
      logger.warn({ err: error }, 'expired mail quotas stay until the next reset mail');
    }
  }

  /** @returns undefined where a quota is exhausted */
  async function makeCountedToken(quotas: MailQuota[], makeToken: MakeToken): Promise<string | undefined> {
    if (await findExhausted(mailQuotas, quotas)) return undefined;
    const token = await inTransaction(async (repositories) => {
      if (await takeFromQuotas(repositories.mailQuotas, quotas)) return undefined;
      return makeToken(repositories);
    });
    await deleteExpiredQuotas();
    return token;
  }

  async function send({ userId, email, clientIp }: Recipient, makeToken: MakeToken): Promise<void> {
    const client = clientNetwork(clientIp);
    const quotas = [
      { subject: `reset:user:${userId}`, limit: MAILS_PER_ACCOUNT },
      { subject: `reset:client:${client}`, limit: MAILS_PER_CLIENT },
    ];
    const token = await countInTurn(() => makeCountedToken(quotas, makeToken), client);
    if (token === undefined) {
      mails.inc({ outcome: 'limited' });
      logger.info({ user_id: userId }, 'reset mail not sent: the account or the client is over its hourly limit');
      return;
    }
    await sendInTurn(() => sendResetMail(email, token), client);
    mails.inc({ outcome: 'sent' });
  }

  return (recipient, makeToken) => {
    setImmediate(() => {
      send(recipient, makeToken).catch((error) => {
        mails.inc({ outcome: 'failed' });
        logger.error({ err: error, user_id: recipient.userId }, 'a reset mail was not sent');
      });
    });
  };
}
