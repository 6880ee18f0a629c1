import path from 'node:path';
import { applySql, type Env, readSettings, repoRoot, type SqlStep } from '@shop/test-servers';
import type { Connection } from 'mysql2/promise';
import { databaseConfig } from '../find-database';
import { upgradeSchema } from '../upgrade-schema';

const upgrade = {
  name: 'upgrading an earlier schema',
  run: (connection: Connection) => upgradeSchema(connection, console.log),
};

/** The schema, upgrades of an existing database and, in the local environment, development data. Safe to repeat. */
export const sqlStepsFor = (env: Env): SqlStep[] => {
  const seeds = (env.APP_ENV || 'local') === 'local' ? [sqlFile('seed.sql')] : [];
  return [sqlFile('schema.sql'), upgrade, ...seeds];
};

const sqlFile = (name: string): string => path.join(repoRoot, 'sql', name);

export async function dbApply(): Promise<number> {
  const { env } = readSettings();
  const config = databaseConfig(env);
  const steps = sqlStepsFor(env);
  await applySql(config, steps);
  const files = steps.filter((step) => typeof step === 'string');
  const names = files.map((file) => path.relative(repoRoot, file)).join(' and ');
  console.log(`applied ${names} to ${config.database} at ${config.host}:${config.port}`);
  return 0;
}
