import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { ConfigError } from '../config';
import { poolFitProblem } from '../db';
import { createAppServer, PROBES, respondToMalformed } from '../http';
import { collectProcessMetrics } from '../metrics';
import { withTimeout } from '../time';
import { flushTraces, nameTraces } from '../tracing';
import { startJobs } from './jobs';
import { plainTextWarnings } from './plain-text';
import { buildService, type Resources, type RunningApp, type ServiceDefinition } from './service';

/** How long a service waits for Redis before it listens. */
const REDIS_WAIT_MS = 3000;

/**
 * How many connections may wait to be accepted. If there are more, Linux drops them, and the client tries again after 1, 3, 7, … s. With
 * Node's default of 511, that happens as soon as the event loop is late under load.
 */
const BACKLOG = 4096;

/** Runs a service until SIGTERM or SIGINT. The only call in a service's main.ts. */
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
  nameTraces(definition, PROBES);
  const { logger, config } = running.resources;
  collectProcessMetrics(running.resources.metrics);
  // Also called for unhandled rejections. The process may be in an inconsistent state, so exit and let the supervisor
  // restart it.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught exception, exiting');
    process.exit(1);
  });
  const server = createAppServer(running.app, {
    // Limits for slow clients: headers within 5 s, the whole request within 60 s, checked every second.
    headersTimeout: 5000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 1000,
    // Larger than Nginx's own limit (nginx/templates), because Nginx adds headers.
    maxHeaderSize: 48 * 1024,
    // Longer than Nginx keeps idle connections, so that Nginx never reuses a connection that is being closed.
    keepAliveTimeout: 65_000,
    // The app rejects requests without Host, with a problem response.
    requireHostHeader: false,
  });
  respondToMalformed(server, running.resources);
  server.prependListener('request', function closeWhileDraining(_req, res) {
    if (running.isDraining()) res.setHeader('Connection', 'close');
  });
  server.once('error', (error: NodeJS.ErrnoException) => {
    const reason =
      error.code === 'EADDRINUSE'
        ? `port ${config.port} is in use: stop the other process or set ${definition.portKey}`
        : `cannot listen on port ${config.port}: ${error.code ?? error.message}`;
    process.stderr.write(`${definition.name}: ${reason}\n`);
    process.exitCode = 1;
    void running.close().then(() => process.exit(1));
  });
  const listen = (): void => {
    if (running.isDraining()) return;
    server.listen({ port: config.port, backlog: BACKLOG }, () => {
      logger.info({ port: config.port, env: config.appEnv }, 'listening');
      if (config.appEnv === 'production') for (const warning of plainTextWarnings(config)) logger.warn(warning);
      void reportDatabase(running);
    });
  };
  // A write before this process is connected to Redis would leave stale responses in other processes for up to 2 s. But the
  // wait is limited: a Redis that accepts connections and rejects commands (disk full) must not prevent the start.
  void withTimeout(running.resources.redis.firstAttempt(), REDIS_WAIT_MS, () => undefined).then(listen);
  const stopJobs = startJobs(running.jobs, running.resources);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void shutDown(server, { running, stopJobs }, signal));
}

/** Logs at startup why the database is not usable, until it is. Meanwhile the service runs and is unready. */
async function reportDatabase({ resources, isDraining, checkDatabase }: RunningApp): Promise<void> {
  const { db, config, logger } = resources;
  for (let lastCause = ''; !isDraining(); ) {
    try {
      await checkDatabase();
      const problem = await poolFitProblem(db, config.db);
      if (problem) logger.warn(problem);
      return;
    } catch (error) {
      const cause = causeOf(error);
      const { host, port, name } = config.db;
      if (cause !== lastCause)
        logger.error({ host, port, database: name, cause }, 'the database cannot be used yet, retrying every second');
      lastCause = cause;
      await sleep(1000, undefined, { ref: false });
    }
  }
}

/** The driver's error message, or its code: the error for a host with several IP addresses has only a code. */
function causeOf(error: unknown): string {
  const { message, code }: NodeJS.ErrnoException =
    error instanceof Error ? (error.cause instanceof Error ? error.cause : error) : new Error(String(error));
  return message || code || 'unknown';
}

/** Time since the signal until open connections are closed, and until the process exits. It must exit within 10 s. */
const CUT_OFF_MS = 9000;
const EXIT_MS = 9500;

/**
 * Shuts down in steps. First /ready fails, so that load balancers stop sending requests, and the jobs stop. Then the server
 * accepts no new connections, and requests in progress finish. Finally everything is closed. Exits with code 0 within 10 s of
 * the signal.
 */
async function shutDown(
  server: Server,
  { running, stopJobs }: { running: RunningApp; stopJobs: () => Promise<void> },
  signal: string,
): Promise<void> {
  const signalAt = Date.now();
  const msUntil = (afterSignal: number): number => signalAt + afterSignal - Date.now();
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
  await withTimeout(Promise.all([closed, jobsStopped]), msUntil(CUT_OFF_MS), () => undefined);
  clearInterval(idle);
  server.closeAllConnections();
  logger.info('stopped');
  await withTimeout(Promise.all([running.close(), flushTraces()]), msUntil(EXIT_MS), () => undefined);
  process.exit(0);
}
