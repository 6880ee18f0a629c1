import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { ConfigError } from '../config';
import { poolFitProblem } from '../db';
import { PROBES, respondToMalformed } from '../http';
import { collectProcessMetrics } from '../metrics';
import { withTimeout } from '../time';
import { flushTraces, nameTraces } from '../tracing';
import { startJobs } from './jobs';
import { buildService, type Resources, type RunningApp, type ServiceDefinition } from './service';

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
  nameTraces(definition.name, PROBES);
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
  respondToMalformed(server, running.resources);
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
  void withTimeout(running.resources.redis.tried(), REDIS_WAIT_MS, () => undefined).then(listen);
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
  const msUntil = (afterSignal: number): number => told + afterSignal - Date.now();
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
