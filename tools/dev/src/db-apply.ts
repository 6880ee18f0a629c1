import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { applySchema, repoRoot } from '@shop/test-servers';
import { databaseOf, readSettings } from './settings';
import { runningState, type State } from './state';

export async function dbApply(): Promise<number> {
  await useRunningDatabase();
  const settings = readSettings();
  const seed = settings.APP_ENV === 'local';
  await applySchema(databaseOf(settings), { seed, log: console.log });
  const files = `sql/migrations${seed ? ' and sql/seed.sql' : ''}`;
  console.log(`applied ${files} to ${settings.DB_NAME} at ${settings.DB_HOST}:${settings.DB_PORT}`);
  return 0;
}

/** Runs the shop's command. */
export const migrate = (args: string[]) => runOnDatabase('packages/shop/dist/migrate-main.js', args);

/** Runs one of the commands of tools/backup. */
export const backup = (command: string, args: string[]) =>
  runOnDatabase('tools/backup/dist/cli.js', [command, ...args]);

/** Runs the transaction service's command. */
export const verifyStock = () => runOnDatabase('services/transaction/dist/verify-stock.js');

async function runOnDatabase(script: string, args: string[] = []): Promise<number> {
  await useRunningDatabase();
  const command = [path.join(repoRoot, script), ...args];
  const { status, error } = spawnSync(process.execPath, command, { cwd: repoRoot, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

async function useRunningDatabase(): Promise<void> {
  const database = runningDatabase(process.env, await runningState());
  if (!database) return;
  Object.assign(process.env, database);
  console.error(`using the running fleet's database: ${database.DB_NAME} at ${database.DB_HOST}:${database.DB_PORT}`);
}

/** The running shop's database, whose port may differ from the env file, unless the caller's environment names another. */
export function runningDatabase(env: NodeJS.ProcessEnv, state: State | undefined): State['database'] {
  const names = ['APP_ENV', 'ENV_FILE', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_NAME'];
  return names.some((name) => env[name]) ? undefined : state?.database;
}
