import { accessTokens, type Resources, type ServiceDefinition } from '@shop/core';
import { inShop } from '@shop/shop';
import { accountEndpoints } from './accounts/accounts.endpoints';
import { categoryEndpoints } from './categories/categories.endpoints';
import { googleEndpoints } from './google/google.endpoints';
import { invalidIdToken } from './google/google.errors';
import { googleKeys } from './google/google-keys';
import { signInWithGoogle } from './google/sign-in-with-google';
import { verifyIdToken } from './google/verify-id-token';
import { boundedWork } from './passwords/bounded-work';
import { mailReset } from './passwords/mail-reset';
import { passwordEndpoints } from './passwords/password.endpoints';
import { type PasswordHasher, passwordHasher } from './passwords/password-hasher';
import { requestReset, requestResetByMail } from './passwords/request-reset';
import { resetMail } from './passwords/reset-mail';
import { resetPassword } from './passwords/reset-password';
import { refuseSeededAdmin, withoutSeededLogin } from './passwords/seeded-admin';
import { repositories, transactionsOf } from './repositories';
import { countedLogins } from './sessions/counted-logins';
import { forgetExpired } from './sessions/forget-expired';
import { logIn } from './sessions/log-in';
import { logOut } from './sessions/log-out';
import { logOutEverywhere } from './sessions/log-out-everywhere';
import { refresh } from './sessions/refresh';
import { sessionEndpoints } from './sessions/session.endpoints';
import { invalidCredentials } from './sessions/session.errors';
import { type TokenIssuer, tokenIssuer } from './sessions/token-issuer';
import { type AuthSettings, LOCAL_RESET_PAGE, settings } from './settings';

/** What the use cases of this service get. */
export interface AuthContext extends Resources {
  passwordHasher: PasswordHasher;
  tokenIssuer: TokenIssuer;
}

function createContext(resources: Resources, settings: AuthSettings): AuthContext {
  return {
    ...resources,
    passwordHasher: passwordHasher(),
    tokenIssuer: tokenIssuer({
      tokens: accessTokens(resources.config.jwtSecret, settings.ACCESS_TOKEN_EXP_SECONDS),
      accessSeconds: settings.ACCESS_TOKEN_EXP_SECONDS,
      refreshSeconds: settings.REFRESH_TOKEN_EXP_SECONDS,
    }),
  };
}

const buildEndpoints = (ctx: AuthContext, own: AuthSettings) => {
  const { db, config, logger, metrics, passwordHasher: passwords, tokenIssuer: issuer } = ctx;
  const { accounts, credentials, sessions, passwordResets, mailQuotas } = repositories(db);
  const inTransaction = transactionsOf(db);
  const counted = countedLogins(metrics);
  const tidy = forgetExpired({ sessions, logger });
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
  const inProduction = config.appEnv === 'production';
  const resetsOnlyByMail = config.appEnv !== 'local';
  const logInByPassword = logIn({ credentials, inTransaction, passwords, issuer, forgetExpired: tidy });
  const verify = (clientId: string) => verifyIdToken({ clientId, keys: googleKeys(own.GOOGLE_CERTS_URL) });

  return [
    ...accountEndpoints(ctx),
    ...sessionEndpoints({
      logIn: counted(
        'password',
        [invalidCredentials],
        inProduction ? withoutSeededLogin(logInByPassword) : logInByPassword,
      ),
      refresh: refresh({ inTransaction, issuer, forgetExpired: tidy }),
      logOut: logOut({ inTransaction }),
      logOutEverywhere: logOutEverywhere({ inTransaction }),
    }),
    ...passwordEndpoints({
      requestReset: requestReset({ accounts, inTransaction, mail }),
      // The settings refuse to start without a mail server there.
      requestResetByMail: resetsOnlyByMail && mail ? requestResetByMail({ accounts, mail }) : undefined,
      resetPassword: resetPassword({ passwordResets, inTransaction, passwords, onlyByMail: resetsOnlyByMail }),
    }),
    ...googleEndpoints({
      signInWithGoogle: counted(
        'google',
        [invalidIdToken],
        signInWithGoogle({
          verifyIdToken: own.GOOGLE_CLIENT_ID === undefined ? undefined : verify(own.GOOGLE_CLIENT_ID),
          db,
          accounts,
          inTransaction,
          issuer,
          forgetExpired: tidy,
          logger,
        }),
      ),
    }),
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
  async mustHold({ db, config, passwordHasher }) {
    if (config.appEnv !== 'production') return;
    await refuseSeededAdmin({ credentials: repositories(db).credentials, passwords: passwordHasher })();
  },
};
