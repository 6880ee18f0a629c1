import type { Express } from 'express';
import type { z } from 'zod';
import {
  type AccessTokenVerifier,
  accessTokenVerifier,
  createRevocations,
  REVOCATIONS_TABLE,
  type Revocations,
  revocationsIn,
} from '../auth';
import { createGeneration, createResponseCache, GENERATION_TABLE, generationIn, type ResponseCache } from '../cache';
import type { Env } from '../config';
import {
  createDatabase,
  type Database,
  int,
  MIGRATIONS_TABLE,
  pingDatabase,
  statement,
  type TableRights,
  UNFINISHED_RESTORE_TABLE,
} from '../db';
import {
  coreErrors,
  type ErrorDefinition,
  restoreUnfinished,
  schemaMissing,
  schemaOutdated,
  shuttingDown,
} from '../errors';
import { createApp, type DocsPage, type Endpoint } from '../http';
import { createIdempotency, type Idempotency, KEYS_TABLE } from '../idempotency';
import { createLogger, type Logger } from '../log';
import { createMetrics, type Metrics } from '../metrics';
import { createAdmission } from '../overload';
import { tokenBuckets } from '../rate-limit';
import { connectRedis, type RedisLink } from '../redis';
import { type Configured, type CoreConfig, loadConfig } from './core-config';
import { type Job, jobMetrics } from './jobs';

/** The rights that every service needs on core's own tables. */
export const coreRights = {
  [GENERATION_TABLE]: ['SELECT', 'INSERT', 'UPDATE'],
  [REVOCATIONS_TABLE]: ['SELECT'],
  [KEYS_TABLE]: ['SELECT', 'INSERT', 'UPDATE'],
  [MIGRATIONS_TABLE]: ['SELECT'],
  // Otherwise information_schema would not show it.
  [UNFINISHED_RESTORE_TABLE]: ['SELECT'],
} as const satisfies TableRights;

/** The shared resources of a service. Core creates and closes them. */
export interface Resources {
  db: Database;
  cache: ResponseCache;
  idempotency: Idempotency;
  redis: RedisLink;
  tokens: AccessTokenVerifier;
  logger: Logger;
  metrics: Metrics;
  config: CoreConfig;
}

/** @template C the context that the use cases get */
export interface ServiceDefinition<T extends z.ZodObject, C extends Resources = Resources> extends Configured<T> {
  name: string;
  /**
   * The tables that it reads or writes, and as `table.column` the columns that earlier releases did not have. /ready is 503
   * until all exist.
   */
  tables: readonly string[];
  /** The newest migration that its code needs. /ready is 503 while the database does not record it. */
  migration?: string;
  /** An additional readiness check, called until it resolves once. Until then, /ready is 503 with its error. */
  readinessCheck?: (context: C) => Promise<void>;
  /** The errors of `readinessCheck`. */
  readinessErrors?: ErrorDefinition[];
  /** Called once. Returns the resources and what this service adds to them. */
  createContext?: (resources: Resources, settings: z.output<T>) => C;
  endpoints: (context: C) => Endpoint[];
  /** The pages below /docs, besides the reference. Called for the first request to one. */
  docs?: () => readonly DocsPage[];
  jobs?: (context: C, settings: z.output<T>) => Job[];
}

const SCHEMA_NOT_APPLIED = { message: 'The database schema is not applied: run `npm run migrate`.' };

export interface RunningApp {
  app: Express;
  /** The declared endpoints of `app`. */
  endpoints: Endpoint[];
  /** Every error that the app or the gateway in front of it can respond with. */
  errors: readonly ErrorDefinition[];
  /** The background jobs. `runService` starts them. */
  jobs: Job[];
  resources: Resources;
  /** Makes /ready respond with 503 from now on. */
  drain(): void;
  isDraining(): boolean;
  /** Rejects with an AppError while the database or its schema is not available. */
  checkDatabase(): Promise<void>;
  close(): Promise<void>;
}

/** Builds a service's app and its resources, without listening. Used by `runService` and by tests. */
export function buildService<T extends z.ZodObject, C extends Resources>(
  definition: ServiceDefinition<T, C>,
  env?: Env,
  logger?: Logger,
): RunningApp {
  const { core: config, own } = loadConfig(definition, env);
  const log = logger ?? createLogger(definition.name, config.logLevel);
  const metrics = createMetrics(definition.name, config.revision);
  jobMetrics(metrics);
  const deps = { logger: log, metrics };
  const redis = connectRedis(config.redis, deps);
  const generation = createGeneration(
    generationIn(() => db),
    deps,
  );
  const cache = createResponseCache({ redis, generation, metrics });
  const onLostResponse = () => cache.invalidateAll();
  const db: Database = createDatabase(config.db, { ...deps, onLostResponse });
  const tokens = accessTokenVerifier(config.tokenKeys, config.tokenRealm);
  const revocations = createRevocations(revocationsIn(db), { metrics });
  const idempotency = createIdempotency(db);
  const resources: Resources = { db, cache, idempotency, redis, tokens, logger: log, metrics, config };
  let draining = false;
  const context = definition.createContext?.(resources, own) ?? (resources as C);
  const endpoints = definition.endpoints(context);
  const jobs = [readRevocations(revocations), ...(definition.jobs?.(context, own) ?? [])];
  const tables = new Set([...definition.tables, GENERATION_TABLE, REVOCATIONS_TABLE, KEYS_TABLE]);
  const checkSchema = schemaCheck(db, [...tables], definition.migration);
  const checkOnce = once(async () => definition.readinessCheck?.(context));
  const checkDatabase = async () => {
    await pingDatabase(db);
    await checkSchema();
    await checkOnce();
    await revocations.current();
  };
  const app = createApp({
    service: definition.name,
    config,
    endpoints,
    docs: definition.docs ?? (() => []),
    logger: log,
    metrics,
    cache,
    tokens,
    revocations,
    admission: createAdmission({ ...deps, databaseWaitMs: db.waitMs }),
    buckets: {
      general: tokenBuckets(redis, config.rateLimit.general),
      uploads: tokenBuckets(redis, config.rateLimit.uploads),
      preflights: tokenBuckets(redis, config.rateLimit.preflights),
    },
    probes: {
      pool: () => db.stats(),
      redis: () => redis.status(),
      async checkReady() {
        if (draining) throw shuttingDown();
        await checkDatabase();
      },
    },
  });
  return {
    app,
    endpoints,
    errors: [...coreErrors, ...endpoints.flatMap(({ errors = [] }) => errors), ...(definition.readinessErrors ?? [])],
    jobs,
    resources,
    drain: () => {
      draining = true;
    },
    isDraining: () => draining,
    checkDatabase,
    async close() {
      generation.close();
      await db.close();
      await redis.close();
      log.flush();
    },
  };
}

/** Keeps the known revocations so recent that no request waits for them. A failure shows in their age. */
const readRevocations = ({ refresh }: Revocations): Job => ({
  name: 'revocations',
  everySeconds: 1,
  run: () => refresh().catch(() => undefined),
});

/** Calls `check` until it has resolved once. */
function once(check: () => Promise<void>): () => Promise<void> {
  let passed = false;
  return async () => {
    if (passed) return;
    await check();
    passed = true;
  };
}

const COUNT_TABLES_AND_COLUMNS = statement(
  'schema.check',
  { found: int },
  `SELECT COUNT(*) AS found
   FROM (SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()
         UNION ALL
         SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns WHERE table_schema = DATABASE()
        ) AS present
   WHERE name IN (:names)`,
);

const IS_APPLIED = statement(
  'schema.isApplied',
  { found: int },
  `SELECT COUNT(*) AS found FROM ${MIGRATIONS_TABLE} WHERE name = :migration`,
);

const schemaCheck = (db: Database, names: readonly string[], migration: string | undefined) =>
  once(async function checkSchema() {
    const countOf = async (wanted: readonly string[]) =>
      (await db.row(COUNT_TABLES_AND_COLUMNS, { names: wanted }))?.found ?? 0;
    const found = await countOf(names);
    if (await countOf([UNFINISHED_RESTORE_TABLE])) throw restoreUnfinished();
    if (found === 0) throw schemaMissing(SCHEMA_NOT_APPLIED);
    if (migration && !((await countOf([MIGRATIONS_TABLE])) && (await db.row(IS_APPLIED, { migration }))?.found)) {
      throw schemaOutdated();
    }
    if (found < names.length) throw schemaMissing(SCHEMA_NOT_APPLIED);
  });
