import path from 'node:path';
import type { Env } from '@shop/core/config';
import { applySql, type DatabaseSettings } from './database';
import { OperatorError } from './errors';
import { repoRoot } from './paths';

interface SchemaOptions {
  /** Also inserts the development data. Default: true. */
  seed?: boolean;
  /** Settings such as AUTH_DB_USER: these database users get their rights. Default: none. */
  env?: Env;
  log?: (line: string) => void;
}

const seedFile = path.join(repoRoot, 'sql/seed.sql');

/** Applies the migrations that the database lacks, sets up its users, and inserts development data. Safe to repeat. */
export async function applySchema(
  database: DatabaseSettings,
  { seed = true, env = {}, log = () => undefined }: SchemaOptions = {},
): Promise<void> {
  // Loaded when they are used: they would double the time of `./run-services.sh status`.
  const { applyDatabaseUsers, migrate, readMigrations } = await import('@shop/migrations');
  const { databaseUsers, migrationsFolder } = await import('@shop/shop');
  const problems: string[] = [];
  const { user, password, database: name = '' } = database;
  const users = databaseUsers(env, { DB_USER: user, DB_PASS: password, DB_NAME: name }, problems);
  if (problems.length > 0) throw new OperatorError(problems.join('\n'));
  const migrations = await readMigrations(migrationsFolder);
  await applySql(database, [
    {
      name: 'migrating',
      async run(connection) {
        await migrate(connection, migrations, { log });
      },
    },
    {
      name: 'setting up database users',
      async run(connection) {
        await applyDatabaseUsers(connection, users, log);
      },
    },
    ...(seed ? [seedFile] : []),
  ]);
}
