import { z } from 'zod';
import { publicKeys, secretKey, type TokenKey } from '../auth';
import { ConfigError, type Env, parseBlock, parseSettings, readEnv, secretOf, setting } from '../config';
import { type DatabaseConfig, databaseSettings } from '../db';
import type { HttpConfig } from '../http';
import type { BucketSize } from '../rate-limit';
import { type RedisConfig, redisConfigOf, redisSettings } from '../redis';

/** Exact origins only: a wildcard inside one would match no browser's Origin header. */
const isOrigin = (value: string): boolean =>
  URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value) && !value.includes('*');

/** Effectively no limit, for load tests. */
const MAX_RATE = 999_999_999;

/** The settings that every service reads. .env.local explains each variable. */
const coreSettings = z.object({
  GIT_REVISION: z.string().max(64).default('unknown'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  DB_POOL_SIZE: setting.integer(1, 1000).default(25),
  DB_POOL_MAX_IDLE: setting.integer(0, 1000).default(10),
  DB_CONNECTION_MAX_LIFETIME_SECONDS: setting.integer(1, 86_400).default(300),
  DB_SLOW_STATEMENT_MS: setting.integer(0, 60_000).default(250),
  FLEET_PROCESSES: setting.integer(1, 10_000).default(6),
  RATE_LIMIT_PER_SECOND: setting.integer(1, MAX_RATE).default(10),
  RATE_LIMIT_BURST: setting.integer(1, MAX_RATE).default(20),
  RATE_LIMIT_UPLOADS_PER_SECOND: setting.integer(1, MAX_RATE).optional(),
  RATE_LIMIT_UPLOADS_BURST: setting.integer(1, MAX_RATE).optional(),
  TRUST_PROXY: setting.list
    .refine((blocks) => blocks.every(parseBlock), 'must be IP addresses or CIDR blocks (not /0), comma-separated')
    .default([]),
  CORS_ORIGINS: setting.list
    .refine(
      (origins) => origins.every((origin) => isOrigin(origin) || (origin === '*' && origins.length === 1)),
      'must be "*" or a comma-separated list of origins such as https://shop.example',
    )
    .optional(),
  /** At most 5: a service must exit within 10 s. */
  SHUTDOWN_DELAY_SECONDS: setting.integer(0, 5).default(1),
});

type AppEnv = 'local' | 'testnet' | 'production';

export interface CoreConfig extends HttpConfig {
  appEnv: AppEnv;
  /** The Git revision, for `shop_build_info`. */
  revision: string;
  logLevel: string;
  port: number;
  db: DatabaseConfig;
  /** undefined to run without Redis. */
  redis: RedisConfig | undefined;
  /** The issuer and the audience of access tokens. */
  tokenRealm: string | undefined;
  /** Signs access tokens, unless the issuer has a private key. undefined: tokens are verified with public keys only. */
  jwtSecret: string | undefined;
  /** Access tokens that any of them has signed are accepted. */
  tokenKeys: TokenKey[];
  rateLimit: Record<'general' | 'uploads' | 'preflights', BucketSize>;
  shutdownDelayMs: number;
}

/** Additional checks of the settings in production. */
export interface ProductionRules {
  /** A separate schema, so that its errors are reported together with all others. */
  settings: z.ZodObject;
  /** Returns why a signing secret is easy to guess, whatever its length. */
  weaknessOf(secret: string): string | undefined;
}

/** What `loadConfig` needs to know about a service. */
export interface Configured<T extends z.ZodObject> {
  /** OpenTelemetry's `service.namespace`, and the issuer and audience of access tokens. */
  namespace?: string;
  /** The variable with its port, such as `PRODUCT_PORT`. */
  portKey: string;
  /** Settings that only this service reads, by variable name. */
  settings: T;
  production?: ProductionRules;
}

const MIN_SECRET_BYTES = 32;

const pemOfPublicKeys = z.string().transform((pem, context) => {
  try {
    return publicKeys(pem);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

/** A separate schema, so that a weak secret is reported together with all other errors. */
const tokenSecrets = (weaknessOf: ProductionRules['weaknessOf'] | undefined) =>
  z
    .object({
      APP_ENV: z.enum(['local', 'testnet', 'production']).default('local'),
      JWT_SECRET: z.string().optional(),
      /** Accepted, but do not sign: one replaces JWT_SECRET, the other was replaced by it. */
      JWT_SECRET_NEXT: z.string().optional(),
      JWT_SECRET_PREVIOUS: z.string().optional(),
      JWT_PUBLIC_KEYS: pemOfPublicKeys.optional(),
    })
    .superRefine(({ APP_ENV, JWT_PUBLIC_KEYS, ...secrets }, context) => {
      if (secrets.JWT_SECRET === undefined && !JWT_PUBLIC_KEYS) {
        context.addIssue({ code: 'custom', path: ['JWT_SECRET'], message: 'is required' });
      }
      if (APP_ENV === 'local') return;
      for (const [key, secret] of Object.entries(secrets)) {
        if (secret === undefined) continue;
        const problem = (message: string) => context.addIssue({ code: 'custom', path: [key], message });
        const weakness = APP_ENV === 'production' ? weaknessOf?.(secret) : undefined;
        if (weakness) problem(`${weakness}: make one with \`openssl rand -hex 32\``);
        else if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) problem(`must have at least ${MIN_SECRET_BYTES} bytes`);
      }
    });

/** By default, uploads and preflights have ten times the general limits. nginx/limits.sh calculates the same. */
function rateLimits(settings: z.output<typeof coreSettings>): CoreConfig['rateLimit'] {
  const { RATE_LIMIT_PER_SECOND: perSecond, RATE_LIMIT_BURST: burst } = settings;
  return {
    general: { perSecond, burst },
    uploads: {
      perSecond: settings.RATE_LIMIT_UPLOADS_PER_SECOND ?? perSecond * 10,
      burst: settings.RATE_LIMIT_UPLOADS_BURST ?? burst * 10,
    },
    preflights: { perSecond: perSecond * 10, burst: burst * 10 },
  };
}

/** Reads the shared settings and the service's own. @throws ConfigError naming every bad variable */
export function loadConfig<T extends z.ZodObject>(
  { namespace, portKey, settings, production }: Configured<T>,
  env: Env = readEnv(),
): { core: CoreConfig; own: z.output<T> } {
  const problems: string[] = [];
  const secret = parseSettings(tokenSecrets(production?.weaknessOf), env, problems);
  const { APP_ENV } = parseSettings(z.object({ APP_ENV: z.string().optional() }), env, problems) ?? {};
  if (production && APP_ENV === 'production') parseSettings(production.settings, env, problems);
  const shared = parseSettings(coreSettings, env, problems);
  const database = parseSettings(databaseSettings, env, problems);
  const redis = parseSettings(redisSettings, env, problems);
  const ports = parseSettings(z.object({ [portKey]: setting.port }), env, problems);
  const ownSettings = parseSettings(settings, env, problems);
  if (!secret || !shared || !database || !redis || !ownSettings || !ports || problems.length > 0)
    throw new ConfigError(problems);
  const origins = shared.CORS_ORIGINS ?? (secret.APP_ENV === 'local' ? ['*'] : []);
  const databasePassword = secretOf(env, 'DB_PASS');
  const core: CoreConfig = {
    appEnv: secret.APP_ENV,
    revision: shared.GIT_REVISION,
    logLevel: shared.LOG_LEVEL,
    port: ports[portKey] ?? 0,
    db: {
      host: database.DB_HOST,
      port: database.DB_PORT,
      user: database.DB_USER,
      password: () => databasePassword() ?? '',
      name: database.DB_NAME,
      tls: database.DB_TLS,
      poolSize: shared.DB_POOL_SIZE,
      maxIdle: Math.min(shared.DB_POOL_MAX_IDLE, shared.DB_POOL_SIZE),
      maxLifetimeSeconds: shared.DB_CONNECTION_MAX_LIFETIME_SECONDS,
      slowStatementMs: shared.DB_SLOW_STATEMENT_MS,
      fleetProcesses: shared.FLEET_PROCESSES,
      checkColumns: secret.APP_ENV !== 'production',
    },
    redis: redisConfigOf(redis, env),
    tokenRealm: namespace,
    jwtSecret: secret.JWT_SECRET,
    tokenKeys: [
      ...[secret.JWT_SECRET, secret.JWT_SECRET_NEXT, secret.JWT_SECRET_PREVIOUS]
        .filter((given) => given !== undefined)
        .map(secretKey),
      ...(secret.JWT_PUBLIC_KEYS ?? []),
    ],
    rateLimit: rateLimits(shared),
    trustProxy: shared.TRUST_PROXY,
    corsOrigins: origins[0] === '*' ? '*' : origins,
    secureCookies: secret.APP_ENV !== 'local',
    refusesUndeclaredErrors: secret.APP_ENV !== 'production',
    shutdownDelayMs: shared.SHUTDOWN_DELAY_SECONDS * 1000,
  };
  return { core, own: ownSettings };
}
