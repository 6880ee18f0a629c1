import { privateKey, publicKeys } from '@shop/core/auth';
import { setting } from '@shop/core/config';
import { storageSettings } from '@shop/core/storage';
import { z } from 'zod';
import { emailAddress } from './accounts/email-address';

const webAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

/** Hosts that only this machine can reach. */
const LOOPBACK = /^(localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\])$/i;
const isLoopback = (url: string): boolean => URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
/** Names reserved for examples (RFC 2606) and template placeholders. */
const PLACEHOLDER_HOST = /(^|\.)example(\.(com|net|org))?$|change.?me|placeholder|your.?(domain|shop|host)/i;
const isPlaceholderHost = (host: string): boolean => PLACEHOLDER_HOST.test(host);
const isPlaceholderUrl = (url: string): boolean => URL.canParse(url) && isPlaceholderHost(new URL(url).hostname);

const isHttp = (url: string): boolean => /^http:/i.test(url);

/** `shop@shop.test` or `The Shop <shop@shop.test>`. */
const isSender = (text: string): boolean => {
  const [, address = text] = /^[^<>\r\n]*<([^<>]+)>$/.exec(text) ?? [];
  return emailAddress.safeParse(address).success;
};

/** Why a private key cannot sign access tokens, or undefined if it can. */
function privateKeyProblem(pem: string, publicPem = ''): string | undefined {
  try {
    const { id } = privateKey(pem);
    if (publicKeys(publicPem).some((key) => key.id === id)) return undefined;
  } catch (error) {
    const isWrongHere = error instanceof Error && !error.message.startsWith('has');
    if (isWrongHere) return error.message;
  }
  return 'its public key must be in JWT_PUBLIC_KEYS: without it, the services refuse its tokens';
}

const MIN_KEY_BYTES = 32;

const key = z
  .string()
  .refine((value) => Buffer.byteLength(value) >= MIN_KEY_BYTES, `must have at least ${MIN_KEY_BYTES} bytes`);

/** Separated by commas. */
const keys = z
  .string()
  .transform((list) => list.split(',').map((one) => one.trim()))
  .pipe(z.array(key))
  .default([]);

const MAX_ACCESS_SECONDS = 86_400;
const MAX_SESSION_DAYS = 90;
const MAX_AUDIT_DAYS = 3650;
const MAX_REFRESH_SECONDS = MAX_SESSION_DAYS * 86_400;

interface CheckedSettings {
  APP_ENV?: string | undefined;
  JWT_SECRET?: string | undefined;
  JWT_PUBLIC_KEYS?: string | undefined;
  JWT_PRIVATE_KEY?: string | undefined;
  SMTP_HOST?: string | undefined;
  FACTOR_KEY?: string | undefined;
  REQUIRE_ADMIN_FACTOR: boolean;
  GOOGLE_CERTS_URL: string;
  PASSWORD_RESET_URL?: string | undefined;
}

type TextSettings = Omit<CheckedSettings, 'REQUIRE_ADMIN_FACTOR'>;

/** A refinement that also runs if other settings are invalid, so that a failed start reports every problem. */
const refusedIf = (
  path: keyof CheckedSettings,
  isWrong: (settings: CheckedSettings) => boolean,
  error: string,
): [(settings: CheckedSettings) => boolean, { path: string[]; error: string; when: () => boolean }] => [
  (settings) => !isWrong(settings),
  { path: [path], error, when: () => true },
];

const refusedInProductionIf = (path: keyof TextSettings, isWrong: (value: string) => boolean, error: string) =>
  refusedIf(path, (settings) => settings.APP_ENV === 'production' && isWrong(settings[path] ?? ''), error);

/** Settings of this service only. `.env.local` documents each variable. */
export const settings = storageSettings
  .safeExtend({
    /** Validated by core. Used here for rules that depend on the environment. */
    APP_ENV: z.string().optional(),
    JWT_SECRET: z.string().optional(),
    JWT_PUBLIC_KEYS: z.string().optional(),
    /** Signs access tokens, instead of JWT_SECRET. */
    JWT_PRIVATE_KEY: z.string().optional(),
    ACCESS_TOKEN_EXP_SECONDS: setting.integer(1, MAX_ACCESS_SECONDS).default(3600),
    REFRESH_TOKEN_EXP_SECONDS: setting.integer(1, MAX_REFRESH_SECONDS).default(2_592_000),
    REFRESH_GRACE_SECONDS: setting.integer(0, 60).default(10),
    SESSION_MAX_DAYS: setting.integer(1, MAX_SESSION_DAYS).default(MAX_SESSION_DAYS),
    AUDIT_RETENTION_DAYS: setting.integer(1, MAX_AUDIT_DAYS).default(365),
    PASSWORD_PEPPER: key.optional(),
    PASSWORD_PEPPER_PREVIOUS: keys,
    FACTOR_KEY: key.optional(),
    FACTOR_KEY_PREVIOUS: keys,
    REQUIRE_ADMIN_FACTOR: setting.flag.default(false),
    GOOGLE_CLIENT_ID: z.string().optional(),
    GOOGLE_CERTS_URL: webAddress.default('https://www.googleapis.com/oauth2/v1/certs'),
    SMTP_HOST: z.string().optional(),
    SMTP_PORT: setting.port.default(587),
    SMTP_USER: z.string().optional(),
    SMTP_PASS: z.string().optional(),
    MAIL_FROM: z
      .string()
      .refine(isSender, 'must be an email address, optionally with a name: Shop <shop@shop.test>')
      .default('shop@example.com'),
    PASSWORD_RESET_URL: webAddress.optional(),
    EMAIL_VERIFICATION_URL: webAddress.optional(),
    SHOP_NAME: z.string().max(100).default('Shop'),
  })
  .superRefine(({ JWT_PRIVATE_KEY, JWT_PUBLIC_KEYS }, context) => {
    const problem = JWT_PRIVATE_KEY && privateKeyProblem(JWT_PRIVATE_KEY, JWT_PUBLIC_KEYS);
    if (problem) context.addIssue({ code: 'custom', path: ['JWT_PRIVATE_KEY'], message: problem });
  })
  .refine(
    ...refusedIf(
      'JWT_PRIVATE_KEY',
      ({ JWT_SECRET, JWT_PUBLIC_KEYS, JWT_PRIVATE_KEY }) => Boolean(JWT_PUBLIC_KEYS) && !JWT_SECRET && !JWT_PRIVATE_KEY,
      'is required without JWT_SECRET: this service signs the access tokens',
    ),
  )
  .refine(
    ...refusedIf(
      'SMTP_HOST',
      ({ APP_ENV = 'local', SMTP_HOST }) => APP_ENV !== 'local' && !SMTP_HOST,
      'is required outside the local environment: password resets are sent by mail',
    ),
  )
  .refine(
    ...refusedIf(
      'REQUIRE_ADMIN_FACTOR',
      ({ REQUIRE_ADMIN_FACTOR, FACTOR_KEY }) => REQUIRE_ADMIN_FACTOR && FACTOR_KEY === undefined,
      'needs FACTOR_KEY: without it no admin can set up a second factor',
    ),
  )
  .refine(...refusedInProductionIf('SMTP_HOST', isPlaceholderHost, 'is a placeholder: name the mail server'))
  .refine(
    ...refusedInProductionIf(
      'PASSWORD_RESET_URL',
      (url) => url === '',
      "is required in production: the address of the shop's own page, which the reset mails link to",
    ),
  )
  .refine(
    ...refusedInProductionIf('PASSWORD_RESET_URL', isPlaceholderUrl, "is a placeholder: name the shop's own page"),
  )
  .refine(...refusedInProductionIf('PASSWORD_RESET_URL', isLoopback, 'is a loopback address: customers cannot open it'))
  .refine(
    ...refusedInProductionIf(
      'PASSWORD_RESET_URL',
      (url) => isHttp(url) && !isLoopback(url) && !isPlaceholderUrl(url),
      'must be https in production: the link carries the reset token',
    ),
  )
  .refine(
    ...refusedInProductionIf(
      'GOOGLE_CERTS_URL',
      isHttp,
      'must be https in production: these keys decide whose sign-ins are accepted',
    ),
  );

export type AuthSettings = z.output<typeof settings>;
