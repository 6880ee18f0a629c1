import { type Env, stillRuns } from '@shop/test-servers';
import { type FleetState, readState } from './state';

const namesADatabase = ['APP_ENV', 'ENV_FILE', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_NAME'];

/**
 * The settings of the running fleet's database, whose port may differ from the env file. Undefined if no fleet is running or
 * if the caller's environment names a database.
 */
export function runningDatabase(env = process.env, state: FleetState | undefined = readState()): Env | undefined {
  if (!state || !stillRuns(state) || namesADatabase.some((name) => env[name])) return undefined;
  return state.database;
}
