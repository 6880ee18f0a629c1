import path from 'node:path';
import type { Connection } from 'mysql2/promise';
import { applySql, type DatabaseSettings } from './database';
import { repoRoot } from './paths';
import { upgradeSchema } from './upgrade-schema';

interface SchemaOptions {
  /** Also inserts the development data. Default: true. */
  seed?: boolean;
  log?: (line: string) => void;
}

const sqlFile = (name: string): string => path.join(repoRoot, 'sql', name);

/** Applies the schema, upgrades an earlier release's tables, and inserts development data. Safe to repeat. */
export function applySchema(database: DatabaseSettings, { seed = true, log }: SchemaOptions = {}): Promise<void> {
  const upgrade = {
    name: 'upgrading an earlier schema',
    run: (connection: Connection) => upgradeSchema(connection, log ?? (() => undefined)),
  };
  return applySql(database, [sqlFile('schema.sql'), upgrade, ...(seed ? [sqlFile('seed.sql')] : [])]);
}
