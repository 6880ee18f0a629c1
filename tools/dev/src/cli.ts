import { runMain, UsageError } from '@shop/test-servers';
import { dbApply } from './commands/db-apply';
import { status } from './commands/status';
import { stop } from './commands/stop';
import { up } from './commands/up';
import { url } from './commands/url';
import { verifyStock } from './commands/verify-stock';
import { runningDatabase } from './running-database';

/** Gets the arguments after its name. @returns the exit code */
type Command = (args: string[]) => Promise<number>;

const commands = new Map<string, Command>([
  ['up', up],
  ['status', status],
  ['stop', stop],
  ['url', url],
  ['db-apply', dbApply],
  ['verify-stock', verifyStock],
]);

const withArguments = new Set(['up']);
/** These use the running fleet's database, if a fleet is running. */
const onDatabase = new Set(['db-apply', 'verify-stock']);

async function main([name = 'up', ...args]: string[]): Promise<number> {
  const command = commands.get(name);
  if (!command) throw new UsageError(`unknown command "${name}", expected one of ${[...commands.keys()].join(', ')}`);
  const [unexpected] = args;
  if (unexpected !== undefined && !withArguments.has(name)) {
    throw new UsageError(`${name} takes no arguments, but got "${unexpected}"`);
  }
  if (onDatabase.has(name)) useRunningDatabase();
  return command(args);
}

function useRunningDatabase(): void {
  const database = runningDatabase();
  if (database === undefined) return;
  Object.assign(process.env, database);
  console.error(`using the running fleet's database: ${database.DB_NAME} at ${database.DB_HOST}:${database.DB_PORT}`);
}

runMain(main);
