import { runMain, UsageError } from '@shop/test-servers';
import { dbApply, verifyStock } from './db-apply';
import { status, url } from './status';
import { stop } from './stop';
import { up } from './up';

/** Each returns the exit code. */
const commands = new Map<string, (args: string[]) => Promise<number>>([
  ['up', up],
  ['status', status],
  ['stop', stop],
  ['url', url],
  ['db-apply', dbApply],
  ['verify-stock', verifyStock],
]);

runMain(async ([name = 'up', ...args]) => {
  const command = commands.get(name);
  if (!command) throw new UsageError(`unknown command "${name}", expected one of ${[...commands.keys()].join(', ')}`);
  if (name !== 'up' && args.length > 0) throw new UsageError(`${name} takes no arguments, but got "${args[0]}"`);
  return command(args);
});
