import { runMain, UsageError } from '@shop/test-servers';
import { status, url } from './status';
import { stop } from './stop';

/** Each returns the exit code. Those that read settings are loaded when they are used: zod would slow the others down. */
const commands = new Map<string, (args: string[]) => Promise<number>>([
  ['up', async (args) => (await import('./up.js')).up(args)],
  ['status', status],
  ['stop', stop],
  ['url', url],
  ['db-apply', async () => (await import('./db-apply.js')).dbApply()],
  ['with-database', async (args) => (await import('./db-apply.js')).withDatabase(args)],
]);

runMain(async ([name = 'up', ...args]) => {
  const command = commands.get(name);
  if (!command) throw new UsageError(`unknown command "${name}", expected one of ${[...commands.keys()].join(', ')}`);
  if (args.length > 0 && !['up', 'with-database'].includes(name))
    throw new UsageError(`${name} takes no arguments, but got "${args[0]}"`);
  return command(args);
});
