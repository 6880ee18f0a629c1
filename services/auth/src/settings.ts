import { setting } from '@shop/core';
import { z } from 'zod';

const webAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

/** Hosts that no customer's browser can reach: this machine, and the names that are kept for examples. */
const NOWHERE = /^(localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\]|(.*\.)?example(\.(com|net|org))?)$/i;
const isNowhere = (url: string): boolean => URL.canParse(url) && NOWHERE.test(new URL(url).hostname);

/** What only this service reads. The text of .env.local says what each variable means. */
export const settings = z
  .object({
    /** Checked by core; here only for what some environments require. */
    APP_ENV: z.string().optional(),
    ACCESS_TOKEN_EXP_SECONDS: setting.integer(1).default(3600),
    REFRESH_TOKEN_EXP_SECONDS: setting.integer(1).default(2_592_000),
    GOOGLE_CLIENT_ID: z.string().optional(),
    GOOGLE_CERTS_URL: webAddress.default('https://www.googleapis.com/oauth2/v1/certs'),
    SMTP_HOST: z.string().optional(),
    SMTP_PORT: setting.port.default(587),
    SMTP_USER: z.string().optional(),
    SMTP_PASS: z.string().optional(),
    MAIL_FROM: z.string().includes('@', 'must be a mail address').default('shop@example.com'),
    PASSWORD_RESET_URL: webAddress.default('http://localhost:8000/reset-password'),
  })
  .refine(({ APP_ENV = 'local', SMTP_HOST }) => APP_ENV === 'local' || SMTP_HOST, {
    path: ['SMTP_HOST'],
    error: 'is required outside the local environment: password resets go by mail',
    // Also beside other wrong settings: a bad start names all of them.
    when: () => true,
  })
  .refine(({ APP_ENV, PASSWORD_RESET_URL }) => APP_ENV !== 'production' || !isNowhere(PASSWORD_RESET_URL), {
    path: ['PASSWORD_RESET_URL'],
    error: "is required in production: the address of the shop's own page, which the reset mails link to",
    when: () => true,
  });

export type AuthSettings = z.output<typeof settings>;
