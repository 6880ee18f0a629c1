import type { Metrics } from '@shop/core/metrics';
import { createTransport } from 'nodemailer';
import { type AuthSettings, LOCAL_RESET_PAGE } from '../settings';
import { FairQueue } from './fair-queue';

const outcomes = ['sent', 'limited', 'failed'] as const;

export interface ResetMailer {
  /** Two queues, so that counting never waits behind a slow mail server. */
  countQueue: FairQueue;
  sendQueue: FairQueue;
  /** Sends the link over SMTP. Uses TLS if the server offers it, and requires it before sending an SMTP password. */
  send(email: string, token: string): Promise<void>;
  countMail(outcome: (typeof outcomes)[number]): void;
}

const SMTPS_PORT = 465;
const TIMEOUT_MS = 5000;

const mailText = (link: string): string => `Someone, hopefully you, asked to set a new password for your account.

Open this link within an hour to do so:

${link}

If this was not you, ignore this mail. Your password stays the same.
`;

/** @returns undefined if no mail server is configured */
export function createResetMailer(settings: AuthSettings, metrics: Metrics): ResetMailer | undefined {
  const { SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASS, MAIL_FROM, PASSWORD_RESET_URL } = settings;
  if (SMTP_HOST === undefined) return undefined;
  const transport = createTransport({
    host: SMTP_HOST,
    port: SMTP_PORT,
    secure: SMTP_PORT === SMTPS_PORT,
    requireTLS: SMTP_USER !== undefined,
    ...(SMTP_USER === undefined ? {} : { auth: { user: SMTP_USER, pass: SMTP_PASS ?? '' } }),
    dnsTimeout: TIMEOUT_MS,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: 2 * TIMEOUT_MS,
  });
  const mails = metrics.counter(
    {
      name: 'reset_mails_total',
      help: 'Password reset mails by outcome: sent, limited (over the hourly limit of an account or client), failed',
      labelNames: ['outcome'],
    },
    outcomes.map((outcome) => ({ outcome })),
  );

  async function send(email: string, token: string): Promise<void> {
    const link = new URL(PASSWORD_RESET_URL ?? LOCAL_RESET_PAGE);
    link.searchParams.set('token', token);
    await transport.sendMail({
      from: MAIL_FROM,
      to: { name: '', address: email },
      subject: 'Set a new password',
      text: mailText(link.href),
    });
  }

  return {
    countQueue: new FairQueue({ concurrency: 2, waiting: 1000 }),
    sendQueue: new FairQueue({ concurrency: 2, waiting: 5000 }),
    send,
    countMail: (outcome) => mails.inc({ outcome }),
  };
}
