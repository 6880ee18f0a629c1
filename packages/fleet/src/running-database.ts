import type { Env } from './env';
import { type FleetState, readState, stillRuns } from './state';

const namesADatabase = ['APP_ENV', 'ENV_FILE', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_NAME'];

/**
 * The settings of the running fleet's database: its port need not be the one in the env file. Undefined where no fleet
 * runs, or where the caller's environment names a database.
 */
export function runningDatabase(env = process.env, state: FleetState | undefined = readState()): Env | undefined {
  if (!state || !stillRuns(state) || namesADatabase.some((name) => env[name])) return undefined;
  return state.database;
}
