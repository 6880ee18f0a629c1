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

/** An operator's command over a service's database, and the whole of its file. What it throws is one line and exit code 1. */
export async function runCommand<T extends z.ZodObject>(command: CommandOptions<T>): Promise<void> {
  const { name, work } = command;
  nameTraces(name);
  let db: Database | undefined;
  let at = '';
  try {
    const { core, own } = loadConfig(command);
    const logger = createLogger(name, core.logLevel);
    at = `${core.db.host}:${core.db.port}`;
    db = createDatabase(core.db, { logger, metrics: createMetrics(name) });
    await work({ db, logger }, own);
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : `${name} failed: ${explain(error, at)}`}\n`);
    process.exitCode = 1;
  } finally {
    await db?.close();
    await flushTraces();
  }
}

/** An operator needs the address and the reason, which the public message of a failed call leaves out. */
function explain(error: unknown, at: string): string {
  if (!(error instanceof AppError) || error.code !== databaseUnavailable.code) return String(error);
  const { cause } = error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return `the database at ${at} (DB_HOST, DB_PORT) cannot be used: ${reason}`;
}
