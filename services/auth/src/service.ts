import type { Resources, ServiceDefinition } from '@shop/core/service';
import type { Storage } from '@shop/core/storage';
import { createUploadStorage, inShop } from '@shop/shop';
import { accountEndpoints } from './accounts/accounts.endpoints';
import { auditEndpoints } from './audit/audit.endpoints';
import { type AuditTrail, createAuditTrail } from './audit/audit-trail';
import { backupMetrics } from './backups/backup-metrics';
import { categoryEndpoints } from './categories/categories.endpoints';
import { emailEndpoints } from './email/email.endpoints';
import { forgetExpiredVerifications } from './email/forget-expired-verifications';
import { googleEndpoints } from './google/google.endpoints';
import { IdTokenVerifier } from './google/id-token-verifier';
import { forgetOldClients } from './guessing/forget-old-clients';
import { leavingEndpoints } from './leaving/leaving.endpoints';
import { createMailer } from './mail/mailer';
import { createOutbox, type Outbox } from './mail/outbox';
import { makeToken } from './mail/token-makers';
import { createPasswordHasher, type PasswordHasher } from './passwords/password-hasher';
import { passwordEndpoints } from './passwords/passwords.endpoints';
import { assertNoSeededAdmin, seededAdmin } from './passwords/seeded-admin';
import { secondFactorEndpoints } from './second-factor/second-factor.endpoints';
import { createSecretBox, type SecretBox } from './second-factor/secret-box';
import { forgetRevocations } from './sessions/forget-revocations';
import { LoginCounter } from './sessions/login-counter';
import { createRefreshCounter, type RefreshCounter } from './sessions/refresh-counter';
import { sessionEndpoints } from './sessions/sessions.endpoints';
import { createTokenIssuer, type TokenIssuer } from './sessions/token-issuer';
import { type AuthSettings, settings } from './settings';

/** Dependencies of this service's use cases. */
export interface AuthContext extends Resources {
  passwordHasher: PasswordHasher;
  tokenIssuer: TokenIssuer;
  loginCounter: LoginCounter;
  refreshCounter: RefreshCounter;
  /** How long a refresh token that was just used can be sent again. */
  refreshGraceMs: number;
  audit: AuditTrail;
  /** undefined without an SMTP host, which only the local environment allows. */
  outbox: Outbox | undefined;
  /** undefined without a FACTOR_KEY: no second factor can be set up. */
  factorSecrets: SecretBox | undefined;
  /** Admins are ordinary users until they log in with a second factor. */
  adminsNeedFactor: boolean;
  shopName: string;
  /** Where the uploads and images of deleted accounts are. */
  storage: Storage;
  /** undefined without a Google client id. */
  idTokenVerifier: IdTokenVerifier | undefined;
}

export function createContext(resources: Resources, settings: AuthSettings): AuthContext {
  const mailer = createMailer(settings);
  return {
    ...resources,
    passwordHasher: createPasswordHasher(
      { current: settings.PASSWORD_PEPPER, previous: settings.PASSWORD_PEPPER_PREVIOUS },
      resources.logger,
    ),
    tokenIssuer: createTokenIssuer(resources.config, settings),
    loginCounter: new LoginCounter(resources.metrics),
    refreshCounter: createRefreshCounter(resources.metrics),
    refreshGraceMs: settings.REFRESH_GRACE_SECONDS * 1000,
    factorSecrets:
      settings.FACTOR_KEY === undefined
        ? undefined
        : createSecretBox(settings.FACTOR_KEY, settings.FACTOR_KEY_PREVIOUS),
    adminsNeedFactor: settings.REQUIRE_ADMIN_FACTOR,
    shopName: settings.SHOP_NAME,
    audit: createAuditTrail(resources, settings.AUDIT_RETENTION_DAYS),
    storage: createUploadStorage(settings, resources),
    outbox: mailer && createOutbox(resources, mailer, makeToken),
    idTokenVerifier:
      settings.GOOGLE_CLIENT_ID === undefined
        ? undefined
        : new IdTokenVerifier(settings.GOOGLE_CLIENT_ID, settings.GOOGLE_CERTS_URL),
  };
}

export const authService: ServiceDefinition<typeof settings, AuthContext> = {
  ...inShop('auth'),
  settings,
  createContext,
  endpoints: (ctx) => [
    ...accountEndpoints(ctx),
    ...sessionEndpoints(ctx),
    ...passwordEndpoints(ctx),
    ...secondFactorEndpoints(ctx),
    ...emailEndpoints(ctx),
    ...leavingEndpoints(ctx),
    ...auditEndpoints(ctx),
    ...googleEndpoints(ctx),
    ...categoryEndpoints(ctx),
  ],
  jobs: (ctx) => [
    backupMetrics(ctx),
    forgetRevocations(ctx),
    forgetOldClients(ctx),
    forgetExpiredVerifications(ctx),
    ctx.audit.job,
    ...(ctx.outbox ? [ctx.outbox.job] : []),
  ],
  async readinessCheck(ctx) {
    if (ctx.config.appEnv === 'production') await assertNoSeededAdmin(ctx);
  },
  readinessErrors: [seededAdmin],
};
