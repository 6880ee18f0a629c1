import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Express } from 'express';
import type { z } from 'zod';
import { type AccessTokens, accessTokens } from './auth/access-token';
import { type AnswerCache, createAnswerCache } from './cache/answer-cache';
import { createGeneration, GENERATION_TABLE, generationIn } from './cache/generation';
import { connectRedis, type RedisLink } from './cache/redis';
import { type CoreConfig, loadConfig } from './config/core-config';
import { ConfigError, type Env } from './config/load-env';
import { createDatabase, type Database, pingDatabase, poolFitProblem } from './db/database';
import { defineError } from './errors/app-error';
import { createApp } from './http/create-app';
import type { Endpoint } from './http/endpoint';
import { answerMalformed } from './http/malformed';
import { type Job, startJobs } from './jobs';
import { tokenBuckets } from './limits/token-bucket';
import { createLogger, type Logger } from './log/logger';
import { collectProcessMetrics, createMetrics, type Metrics } from './metrics/metrics';
import { flushTraces, nameTraces } from './tracing/tracing';

/** What a service is built over; made by core, closed by core. */
export interface Resources {
  db: Database;
  cache: AnswerCache;
  redis: RedisLink;
  tokens: AccessTokens;
  logger: Logger;
  metrics: Metrics;
  config: CoreConfig;
}

/** @template C what its use cases get */
export interface ServiceDefinition<T extends z.ZodObject, C extends Resources = Resources> {
  name: string;
  /** The variable with its port: `PRODUCT_PORT`. */
  portKey: string;
  /** Settings that only this service reads, by variable name. */
  settings: T;
  /** The tables it reads or writes, and as `table.column` those columns that earlier releases did not have; /ready is 503 until they exist. */
  tables: readonly string[];
  /** What else has to hold before it serves: asked until it resolves once. /ready is 503 with what it rejects with. */
  mustHold?: (context: C) => Promise<void>;
  /** Made once: the resources, and what this service adds to them. */
  createContext?: (resources: Resources, settings: z.output<T>) => C;
  endpoints: (context: C, settings: z.output<T>) => Endpoint[];
  jobs?: (context: C, settings: z.output<T>) => Job[];
}

const shuttingDown = defineError('unavailable', 'shutting_down', 'This instance is shutting down.');
const schemaNotApplied = defineError(
  'unavailable',
  'schema_missing',
  'The database schema is not applied: run `npm run db:apply`.',
);

export interface RunningApp {
  app: Express;
  /** What `app` serves, as declared. */
  endpoints: Endpoint[];
  /** What it does by itself; `runService` starts them. */
  jobs: Job[];
  resources: Resources;
  /** /ready answers 503 from here on. */
  drain(): void;
  isDraining(): boolean;
  /** Rejects, with the reason as an AppError, while the database or its schema is not there. */
  checkDatabase(): Promise<void>;
  close(): Promise<void>;
}

/** Builds a service's app over its resources, without listening: what `runService` serves and tests call. */
export function buildService<T extends z.ZodObject, C extends Resources>(
  definition: ServiceDefinition<T, C>,
  env?: Env,
  logger?: Logger,
): RunningApp {
  const { core: config, own } = loadConfig(definition.portKey, definition.settings, env);
  const log = logger ?? createLogger(definition.name, config.logLevel);
  const metrics = createMetrics(definition.name, config.revision);
  const parts = { logger: log, metrics };
  const redis = connectRedis(config.redis, parts);
  const generation = createGeneration(
    generationIn(() => db),
    parts,
  );
  const cache = createAnswerCache({ redis, generation, metrics });
  const onLostAnswer = () => cache.invalidateAll();
  const db: Database = createDatabase(config.db, { ...parts, onLostAnswer });
  const tokens = accessTokens(config.jwtSecret);
  const resources: Resources = { db, cache, redis, tokens, logger: log, metrics, config };
  let draining = false;
  const context = definition.createContext?.(resources, own) ?? (resources as C);
  const endpoints = definition.endpoints(context, own);
  const jobs = definition.jobs?.(context, own) ?? [];
  const checkSchema = schemaCheck(db, [...definition.tables, GENERATION_TABLE]);
  const checkOnce = once(async () => definition.mustHold?.(context));
  const checkDatabase = async () => {
    await pingDatabase(db);
    await checkSchema();
    await checkOnce();
  };
  const app = createApp({
    service: definition.name,
    config,
    endpoints,
    logger: log,
    metrics,
    cache,
    tokens,
    buckets: {
      general: tokenBuckets(redis, config.rateLimit.general),
      uploads: tokenBuckets(redis, config.rateLimit.uploads),
      preflights: tokenBuckets(redis, config.rateLimit.preflights),
    },
    probes: {
      pool: () => db.figures(),
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

/** Asks again only until `check` has resolved once. */
function once(check: () => Promise<void>): () => Promise<void> {
  let holds = false;
  return async () => {
    if (holds) return;
    await check();
    holds = true;
  };
}

const schemaCheck = (db: Database, tables: readonly string[]) =>
  once(async () => {
    const [row] = await db.rows<{ found: number }>(
      `SELECT COUNT(*) AS found
       FROM (SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()
             UNION ALL
             SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns WHERE table_schema = DATABASE()
            ) AS present
       WHERE name IN (${tables.map(() => '?').join(', ')})`,
      [...tables],
    );
    if (Number(row?.found ?? 0) < tables.length) throw schemaNotApplied();
  });

/** How long a service waits for its first answer from Redis before it listens. */
const REDIS_WAIT_MS = 3000;

/** Runs a service until SIGTERM or SIGINT: the whole of its main.ts. */
export async function runService<T extends z.ZodObject, C extends Resources>(
  definition: ServiceDefinition<T, C>,
): Promise<void> {
  let running: RunningApp;
  try {
    running = buildService(definition);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${definition.name}: ${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  nameTraces(definition.name);
  const { logger, config } = running.resources;
  collectProcessMetrics(running.resources.metrics);
  // Unhandled rejections come here too. What state the process is in nobody knows: whoever runs it starts another.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'a bug ends this process');
    process.exit(1);
  });
  const server = createServer(
    {
      // Slow clients: headers within 5 s, the whole request within 60 s, looked at each second.
      headersTimeout: 5000,
      requestTimeout: 60_000,
      connectionsCheckingInterval: 1000,
      // More than Nginx passes (nginx/templates), which adds headers of its own.
      maxHeaderSize: 48 * 1024,
      // Longer than Nginx keeps its side open: it must never reuse a connection that is just closing.
      keepAliveTimeout: 65_000,
      // Without Host: refused by the app, as a problem like any other.
      requireHostHeader: false,
    },
    running.app,
  );
  answerMalformed(server, running.resources);
  server.prependListener('request', (_req, res) => {
    if (running.isDraining()) res.setHeader('Connection', 'close');
  });
  server.once('error', (error: NodeJS.ErrnoException) => {
    const reason =
      error.code === 'EADDRINUSE'
        ? `port ${config.port} is taken: stop what uses it or set ${definition.portKey}`
        : `cannot listen on port ${config.port}: ${error.code ?? error.message}`;
    process.stderr.write(`${definition.name}: ${reason}\n`);
    process.exitCode = 1;
    void running.close().then(() => process.exit(1));
  });
  const listen = (): void => {
    if (running.isDraining()) return;
    server.listen(config.port, () => {
      logger.info({ port: config.port, env: config.appEnv }, 'listening');
      void reportDatabase(running);
    });
  };
  // A write before this process can reach Redis would leave old answers in the others for up to 2 s. But a Redis that
  // accepts connections and refuses commands (its disk is full) must not keep the service from starting.
  void Promise.race([running.resources.redis.tried(), sleep(REDIS_WAIT_MS)]).then(listen);
  const stopJobs = startJobs(running.jobs, running.resources);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void shutDown(server, { running, stopJobs }, signal));
}

/** Says at boot what an operator has to mend; the service stays up and unready meanwhile. */
async function reportDatabase({ resources, isDraining, checkDatabase }: RunningApp): Promise<void> {
  const { db, config, logger } = resources;
  for (let said = ''; !isDraining(); ) {
    try {
      await checkDatabase();
      const problem = await poolFitProblem(db, config.db);
      if (problem) logger.warn(problem);
      return;
    } catch (error) {
      const cause = wordsOf(error);
      const { host, port, name } = config.db;
      if (cause !== said)
        logger.error({ host, port, database: name, cause }, 'the database cannot be used yet; trying on');
      said = cause;
      await sleep(1000, undefined, { ref: false });
    }
  }
}

/** The driver's own words where there are any: that of a name with several addresses has a code only. */
function wordsOf(error: unknown): string {
  const { message, code }: NodeJS.ErrnoException =
    error instanceof Error ? (error.cause instanceof Error ? error.cause : error) : new Error(String(error));
  return message || code || 'unknown';
}

/** Since the signal: when what is still in flight is cut off, and when the process exits. 10 s are promised. */
const CUT_OFF_MS = 9000;
const EXIT_MS = 9500;

/**
 * Unready first, so that balancers look away, and no more work of its own; then no new connections, the requests in flight
 * finish, and everything closes in reverse order of its making. Exit code 0, within 10 s of the signal.
 */
async function shutDown(
  server: Server,
  { running, stopJobs }: { running: RunningApp; stopJobs: () => Promise<void> },
  signal: string,
): Promise<void> {
  const told = Date.now();
  const untilMs = (afterSignal: number): Promise<void> => sleep(Math.max(0, told + afterSignal - Date.now()));
  const { logger, config } = running.resources;
  logger.info({ signal }, 'shutting down');
  running.drain();
  const jobsStopped = stopJobs();
  await sleep(config.shutdownDelayMs);
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await Promise.race([Promise.all([closed, jobsStopped]), untilMs(CUT_OFF_MS)]);
  clearInterval(idle);
  server.closeAllConnections();
  logger.info('stopped');
  await Promise.race([Promise.all([running.close(), flushTraces()]), untilMs(EXIT_MS)]);
  process.exit(0);
}
