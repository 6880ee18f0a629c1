import path from 'node:path';
import { applySql, type DatabaseSettings } from './database';
import { repoRoot } from './paths';

interface SchemaOptions {
  /** Also inserts the development data. Default: true. */
  seed?: boolean;
  log?: (line: string) => void;
}

const seedFile = path.join(repoRoot, 'sql/seed.sql');

/** Applies the migrations that the database lacks, and inserts development data. Safe to repeat. */
export async function applySchema(database: DatabaseSettings, { seed = true, log }: SchemaOptions = {}): Promise<void> {
  // Loaded when they are used: they would double the time of `./run-services.sh status`.
  const { migrate, readMigrations } = await import('@shop/migrations');
  const { migrationsFolder } = await import('@shop/shop');
  const migrations = await readMigrations(migrationsFolder);
  await applySql(database, [
    {
      name: 'migrating',
      async run(connection) {
        await migrate(connection, migrations, log ? { log } : {});
      },
    },
    ...(seed ? [seedFile] : []),
  ]);
}
