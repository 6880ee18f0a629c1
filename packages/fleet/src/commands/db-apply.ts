import path from 'node:path';
import { applySql } from '../database';
import { type Env, readSettings } from '../env';
import { databaseConfig } from '../find-database';
import { repoRoot } from '../paths';

/** The schema and, in the local environment, the development data. Both are safe to apply again. */
export const sqlFilesFor = (env: Env): string[] => {
  const seeds = (env.APP_ENV || 'local') === 'local' ? ['seed.sql'] : [];
  return ['schema.sql', ...seeds].map((file) => path.join(repoRoot, 'sql', file));
};

export async function dbApply(): Promise<number> {
  const { env } = readSettings();
  const config = databaseConfig(env);
  const files = sqlFilesFor(env);
  await applySql(config, files);
  const names = files.map((file) => path.relative(repoRoot, file)).join(' and ');
  console.log(`applied ${names} to ${config.database} at ${config.host}:${config.port}`);
  return 0;
}
