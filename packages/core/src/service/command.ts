import type { z } from 'zod';
import { ConfigError } from '../config';
import { createDatabase, type Database } from '../db';
import { AppError, databaseUnavailable } from '../errors';
import { createLogger, type Logger } from '../log';
import { createMetrics } from '../metrics';
import { flushTraces, nameTraces } from '../tracing';
import { type Configured, loadConfig } from './core-config';

interface CommandOptions<T extends z.ZodObject> extends Configured<T> {
  name: string;
  work: (resources: { db: Database; logger: Logger }, settings: z.output<T>) => Promise<void>;
}

/** Runs an operator's command on a service's database. An error is printed as one line, with exit code 1. */
export async function runCommand<T extends z.ZodObject>(command: CommandOptions<T>): Promise<void> {
  const { name, work } = command;
  nameTraces(command);
  let db: Database | undefined;
  let server = '';
  try {
    const { core, own } = loadConfig(command);
    const logger = createLogger(name, core.logLevel);
    server = `${core.db.host}:${core.db.port}`;
    db = createDatabase(core.db, { logger, metrics: createMetrics(name) });
    await work({ db, logger }, own);
  } catch (error) {
    process.stderr.write(
      `${error instanceof ConfigError ? error.message : `${name} failed: ${explain(error, server)}`}\n`,
    );
    process.exitCode = 1;
  } finally {
    await db?.close();
    await flushTraces();
  }
}

/** Adds the server and the reason for the operator: the public message of a database error contains neither. */
function explain(error: unknown, server: string): string {
  if (!(error instanceof AppError) || error.code !== databaseUnavailable.code) return String(error);
  const { cause } = error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return `the database at ${server} (DB_HOST, DB_PORT) cannot be used: ${reason}`;
}
