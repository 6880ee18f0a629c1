import { spawnSync } from 'node:child_process';
import { applySchema, repoRoot } from '@shop/test-servers';
import { databaseOf, readSettings } from './settings';
import { runningState, type State } from './state';

/** `migrate`, and the development data in the local environment. */
export async function dbApply(): Promise<number> {
  await useRunningDatabase();
  const settings = readSettings();
  await applySchema(databaseOf(settings), { seed: settings.isLocal, env: settings.env, log: console.log });
  const { DB_NAME, DB_HOST, DB_PORT, isLocal } = settings;
  console.log(`${DB_NAME} at ${DB_HOST}:${DB_PORT} is up to date${isLocal ? ', with the development data' : ''}`);
  return 0;
}

/** Runs a script with its arguments. */
export async function withDatabase(args: string[]): Promise<number> {
  await useRunningDatabase();
  const { status, error } = spawnSync(process.execPath, args, { cwd: repoRoot, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

/** The running shop's database may have another port than the env file says. Not if the caller's environment names a database. */
export async function useRunningDatabase(env = process.env, state?: State): Promise<void> {
  const names = ['APP_ENV', 'ENV_FILE', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_NAME'];
  const { database } = state ?? (await runningState()) ?? {};
  if (!database || names.some((name) => env[name])) return;
  Object.assign(env, database);
  console.error(`using the running fleet's database: ${database.DB_NAME} at ${database.DB_HOST}:${database.DB_PORT}`);
}
