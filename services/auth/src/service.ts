import type { Resources, ServiceDefinition } from '@shop/core';
import { inShop } from '@shop/shop';
import { accountEndpoints } from './accounts/accounts.endpoints';
import { categoryEndpoints } from './categories/categories.endpoints';
import { googleEndpoints } from './google/google.endpoints';
import { createIdTokenVerifier, type IdTokenVerifier } from './google/id-token-verifier';
import { boundedWork } from './passwords/bounded-work';
import { mailReset } from './passwords/mail-reset';
import { passwordEndpoints } from './passwords/password.endpoints';
import { type PasswordHasher, passwordHasher } from './passwords/password-hasher';
import { requestReset, requestResetByMail } from './passwords/request-reset';
import { resetMail } from './passwords/reset-mail';
import { resetPassword } from './passwords/reset-password';
import { assertNoSeededAdmin } from './passwords/seeded-admin';
import { repositories, transactionsOf } from './repositories';
import { createLoginCounter, type LoginCounter } from './sessions/login-counter';
import { sessionEndpoints } from './sessions/sessions.endpoints';
import { createTokenIssuer, type TokenIssuer } from './sessions/token-issuer';
import { type AuthSettings, LOCAL_RESET_PAGE, settings } from './settings';

/** What the use cases of this service get. */
export interface AuthContext extends Resources {
  passwordHasher: PasswordHasher;
  tokenIssuer: TokenIssuer;
  loginCounter: LoginCounter;
  /** undefined where no Google client id is set. */
  idTokenVerifier: IdTokenVerifier | undefined;
}

export function createContext(resources: Resources, settings: AuthSettings): AuthContext {
  return {
    ...resources,
    passwordHasher: passwordHasher(),
    tokenIssuer: createTokenIssuer(resources.config.jwtSecret, settings),
    loginCounter: createLoginCounter(resources.metrics),
    idTokenVerifier:
      settings.GOOGLE_CLIENT_ID === undefined
        ? undefined
        : createIdTokenVerifier(settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CERTS_URL),
  };
}

const buildEndpoints = (ctx: AuthContext, own: AuthSettings) => {
  const { db, config, logger, metrics, passwordHasher: passwords } = ctx;
  const { accounts, passwordResets, mailQuotas } = repositories(db);
  const inTransaction = transactionsOf(db);
  const mail =
    own.SMTP_HOST === undefined
      ? undefined
      : mailReset({
          mailQuotas,
          inTransaction,
          countInTurn: boundedWork({ atOnce: 2, waiting: 1000 }),
          sendInTurn: boundedWork({ atOnce: 2, waiting: 5000 }),
          logger,
          metrics,
          sendResetMail: resetMail({
            host: own.SMTP_HOST,
            port: own.SMTP_PORT,
            user: own.SMTP_USER,
            password: own.SMTP_PASS,
            from: own.MAIL_FROM,
            resetUrl: own.PASSWORD_RESET_URL ?? LOCAL_RESET_PAGE,
          }),
        });
  const resetsOnlyByMail = config.appEnv !== 'local';
  return [
    ...accountEndpoints(ctx),
    ...sessionEndpoints(ctx),
    ...passwordEndpoints({
      requestReset: requestReset({ accounts, inTransaction, mail }),
      // The settings refuse to start without a mail server there.
      requestResetByMail: resetsOnlyByMail && mail ? requestResetByMail({ accounts, mail }) : undefined,
      resetPassword: resetPassword({ passwordResets, inTransaction, passwords, onlyByMail: resetsOnlyByMail }),
    }),
    ...googleEndpoints(ctx),
    ...categoryEndpoints(ctx),
  ];
};

export const authService: ServiceDefinition<typeof settings, AuthContext> = {
  ...inShop('auth'),
  settings,
  tables: [
    'users',
    'users.name_folded',
    'users.email_verified_at',
    'refresh_tokens',
    'password_resets',
    'mail_quotas',
    'categories',
    'stores',
    'stores.name_folded',
    'products',
  ],
  createContext,
  endpoints: buildEndpoints,
  async mustHold(ctx) {
    if (ctx.config.appEnv === 'production') await assertNoSeededAdmin(ctx);
  },
};
