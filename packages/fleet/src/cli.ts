import { dbApply } from './commands/db-apply';
import { fuzzCommand } from './commands/fuzz';
import { journey } from './commands/journey';
import { proveOrdersCommand } from './commands/prove-orders';
import { status } from './commands/status';
import { stop } from './commands/stop';
import { up } from './commands/up';
import { FleetError, plainly } from './errors';

/** A command gets the arguments after its name and resolves to the exit code. */
type Command = (args: string[]) => Promise<number>;

const commands = new Map<string, Command>([
  ['up', up],
  ['status', status],
  ['stop', stop],
  ['db-apply', dbApply],
  ['journey', journey],
  ['prove-orders', proveOrdersCommand],
  ['fuzz', fuzzCommand],
]);

async function main([name = 'up', ...args]: string[]): Promise<number> {
  const command = commands.get(name);
  if (!command) throw new FleetError(`unknown command "${name}": there are ${[...commands.keys()].join(', ')}`);
  return command(args);
}

// Whoever read our output may leave (a closed terminal, `| head`): no reason to leave the fleet running headless.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error('error:', plainly(error) ?? error);
    process.exit(1);
  },
);
