import { parseArgs } from 'node:util';
import { ConfigError, type Env, parseSettings, readEnv } from '@shop/core/config';
import { type DatabaseSettings, databaseSettings, sslOptions } from '@shop/core/db';
import { createConnection } from 'mysql2/promise';
import { applyDatabaseUsers, type DatabaseUser } from './database-users';
import { type MigrationStatus, migrate, migrationStatus } from './migrate';
import { type Migration, MigrationError, readMigrations } from './migration-files';

const USAGE = `usage: npm run migrate [-- --status | --dry-run]
  (nothing)   applies the migrations that the database lacks, and sets up the database users of the settings
  --status    lists all; exits with 1 if one is missing
  --dry-run   lists those that would be applied, and changes nothing`;

const CONNECT_TIMEOUT_MS = 10_000;

interface MigrateCommand {
  /** The folder of the migrations. */
  folder: string;
  /** The database users that the settings name, who get their rights afterwards. Adds what is wrong to `problems`. */
  databaseUsers?: (env: Env, owner: DatabaseSettings, problems: string[]) => DatabaseUser[];
}

/** `npm run migrate`: brings the database to the schema of the migrations. Prints errors as one line and exits with 1. */
export async function runMigrateCommand(command: MigrateCommand, args = process.argv.slice(2)): Promise<void> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  try {
    process.exitCode = await run(command, parseOptions(args), print);
  } catch (error) {
    const message = error instanceof UsageError ? USAGE : `migrate failed: ${messageOf(error)}`;
    process.stderr.write(`${error instanceof ConfigError ? error.message : message}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

class UsageError extends Error {}

interface Options {
  status: boolean;
  dryRun: boolean;
}

function parseOptions(args: string[]): Options {
  try {
    const options = { status: { type: 'boolean' }, 'dry-run': { type: 'boolean' } } as const;
    const { values } = parseArgs({ args, options });
    return { status: values.status ?? false, dryRun: values['dry-run'] ?? false };
  } catch (error) {
    throw new UsageError(USAGE, { cause: error });
  }
}

async function run(
  { folder, databaseUsers = () => [] }: MigrateCommand,
  { status, dryRun }: Options,
  print: (line: string) => void,
): Promise<number> {
  const problems: string[] = [];
  const env = readEnv();
  // No other settings: a container that only migrates needs no other secrets.
  const db = parseSettings(databaseSettings, env, problems);
  const users = db ? databaseUsers(env, db, problems) : [];
  if (!db || problems.length > 0) throw new ConfigError(problems);
  const migrations = await readMigrations(folder);
  const server = `${db.DB_HOST}:${db.DB_PORT}`;
  const connection = await createConnection({
    host: db.DB_HOST,
    port: db.DB_PORT,
    user: db.DB_USER,
    password: db.DB_PASS,
    database: db.DB_NAME,
    ...sslOptions(db.DB_TLS),
    connectTimeout: CONNECT_TIMEOUT_MS,
  }).catch((error: unknown) => {
    const reason = `the database ${db.DB_NAME} at ${server} (DB_HOST, DB_PORT) cannot be used: ${messageOf(error)}`;
    throw new MigrationError(reason, { cause: error });
  });
  try {
    if (status || dryRun) return report(migrations, await migrationStatus(connection, migrations), dryRun, print);
    const applied = await migrate(connection, migrations, { log: print });
    await applyDatabaseUsers(connection, users, print);
    print(`${db.DB_NAME} at ${server} is up to date, ${applied.length} migrations applied`);
    return 0;
  } finally {
    connection.destroy();
  }
}

/** @returns the exit code */
function report(
  migrations: readonly Migration[],
  { applied, pending, unknown }: MigrationStatus,
  dryRun: boolean,
  print: (line: string) => void,
): number {
  if (dryRun) {
    for (const { name } of pending) print(`would apply ${name}`);
    if (pending.length === 0) print('nothing to apply');
    return 0;
  }
  const appliedAt = new Map(applied.map((row) => [row.name, row.appliedAt]));
  for (const { name } of migrations) print(`${(appliedAt.get(name) ?? 'missing').padEnd(19)}  ${name}`);
  for (const name of unknown) print(`of a newer release   ${name}`);
  return pending.length > 0 ? 1 : 0;
}

/** A connection error has a code; for a host with several IP addresses it has no message. */
function messageOf(error: unknown): string {
  const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return message || code || 'unknown error';
}
