import type { Transporter } from 'nodemailer';
import type { AuthSettings } from '../settings';
import { renderMail } from './mail-templates';
import type { MailKind } from './mails.sql';

export interface Mailer {
  /**
   * Sends a mail over SMTP. Uses TLS if the server offers it, and requires it before sending an SMTP password.
   * @param token of the link, for the kinds that have one
   */
  send(kind: MailKind, recipient: string, token?: string): Promise<void>;
}

const SMTPS_PORT = 465;
const TIMEOUT_MS = 5000;

/** Pages of the local shop. Production must set its own. */
const LOCAL_RESET_PAGE = 'http://localhost:8000/reset-password';

/** @returns undefined if no mail server is configured */
export function createMailer(settings: AuthSettings): Mailer | undefined {
  const { SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASS, MAIL_FROM, SHOP_NAME } = settings;
  if (SMTP_HOST === undefined) return undefined;
  const resetPage = settings.PASSWORD_RESET_URL ?? LOCAL_RESET_PAGE;
  const pages: Partial<Record<MailKind, string>> = {
    password_reset: resetPage,
    email_verification: settings.EMAIL_VERIFICATION_URL ?? new URL('/verify-email', resetPage).href,
  };
  let transport: Transporter | undefined;

  /** Loads the mail client on first use. */
  async function createTransport(): Promise<Transporter> {
    const client = await import('nodemailer');
    return client.createTransport({
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
  }

  return {
    async send(kind, recipient, token) {
      transport ??= await createTransport();
      await transport.sendMail({
        from: MAIL_FROM,
        to: { name: '', address: recipient },
        ...renderMail(kind, SHOP_NAME, linkTo(pages[kind], token)),
      });
    },
  };
}

function linkTo(page: string | undefined, token: string | undefined): URL | undefined {
  if (page === undefined || token === undefined) return undefined;
  const link = new URL(page);
  link.searchParams.set('token', token);
  return link;
}
