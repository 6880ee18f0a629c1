import { dbApply } from './commands/db-apply';
import { fuzzCommand } from './commands/fuzz';
import { journey } from './commands/journey';
import { proveOrdersCommand } from './commands/prove-orders';
import { status } from './commands/status';
import { stop } from './commands/stop';
import { up } from './commands/up';
import { url } from './commands/url';
import { verifyStock } from './commands/verify-stock';
import { operatorMessage, UsageError } from './errors';
import { runningDatabase } from './running-database';

/** Gets the arguments after its name. @returns the exit code */
type Command = (args: string[]) => Promise<number>;

const commands = new Map<string, Command>([
  ['up', up],
  ['status', status],
  ['stop', stop],
  ['url', url],
  ['db-apply', dbApply],
  ['journey', journey],
  ['prove-orders', proveOrdersCommand],
  ['fuzz', fuzzCommand],
  ['verify-stock', verifyStock],
]);

const withArguments = new Set(['up', 'journey', 'prove-orders', 'fuzz']);
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

// The reader of our output may go away (a closed terminal, `| head`). That must not leave the fleet running without us.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error('error:', operatorMessage(error) ?? error);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
