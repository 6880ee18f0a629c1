import { createTransport } from 'nodemailer';

export interface SmtpSettings {
  host: string;
  port: number;
  user: string | undefined;
  password: string | undefined;
  from: string;
  /** The page that takes `?token=`. */
  resetUrl: string;
}

export type ResetMail = (email: string, token: string) => Promise<void>;

const SMTPS_PORT = 465;
const TIMEOUT_MS = 5000;

const words = (link: string): string => `Somebody, hopefully you, wants to set a new password for your account.

Open this link within an hour to do so:

${link}

If it was not you, ignore this mail: your password stays as it is.
`;

/** Sends the link over SMTP; TLS where the server offers it, and always before a password is sent. */
export function resetMail({ host, port, user, password, from, resetUrl }: SmtpSettings): ResetMail {
  const transport = createTransport({
    host,
    port,
    secure: port === SMTPS_PORT,
    requireTLS: user !== undefined,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    dnsTimeout: TIMEOUT_MS,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: 2 * TIMEOUT_MS,
  });
  return async (email, token) => {
    const link = new URL(resetUrl);
    link.searchParams.set('token', token);
    await transport.sendMail({
      from,
      to: { name: '', address: email },
      subject: 'Set a new password',
      text: words(link.href),
    });
  };
}
